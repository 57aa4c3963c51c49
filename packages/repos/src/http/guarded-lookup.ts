/**
 * Looks a name up for the connection that is about to be made, and gives only addresses that may be connected to. The socket gets exactly the
 * addresses that were checked: a name that points elsewhere a moment later (rebinding) changes nothing.
 */
import type { LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import { isLoopbackAddress, isPublicAddress } from "./addresses.ts";
import { ForbiddenAddressError } from "./http-errors.ts";

/** All addresses of a name, as the system's resolver gives them. */
export type ResolveName = (hostname: string) => Promise<readonly LookupAddress[]>;

export function guardedLookup(
  resolveName: ResolveName,
  { isLoopback }: { readonly isLoopback: boolean },
): LookupFunction {
  const isAllowed = isLoopback ? isLoopbackAddress : isPublicAddress;
  const check = async (hostname: string): Promise<readonly LookupAddress[]> => {
    const addresses = await resolveName(hostname);
    // One that is not public is enough: who mixes them wants us to try.
    const forbidden = addresses.find(({ address }) => !isAllowed(address));
    if (forbidden === undefined && addresses.length > 0) return addresses;
    throw new ForbiddenAddressError(
      forbidden === undefined
        ? `${hostname} has no address`
        : `${hostname} points to ${forbidden.address}, which is not ${isLoopback ? "this machine" : "a public address"}`,
    );
  };
  return (hostname, options, callback) => {
    check(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (options.all === true) callback(null, [...addresses]);
        else callback(null, first?.address ?? "", first?.family);
      },
      (error: unknown) => {
        callback(error instanceof Error ? error : new Error(String(error)), "", 0);
      },
    );
  };
}
