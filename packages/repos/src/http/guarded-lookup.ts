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
    const answer = async (): Promise<void> => {
      const addresses = await check(hostname).catch(asError);
      if (addresses instanceof Error) callback(addresses, "", 0);
      else if (options.all === true) callback(null, [...addresses]);
      else callback(null, addresses[0]?.address ?? "", addresses[0]?.family);
    };
    void answer();
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
