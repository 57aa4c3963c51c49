/**
 * Looks up the name for a connection and returns only allowed addresses. The socket connects to exactly the addresses that were checked,
 * so a name that points elsewhere a moment later (DNS rebinding) has no effect.
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
    // One forbidden address is enough to refuse: a host that mixes them wants us to try the forbidden one.
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
