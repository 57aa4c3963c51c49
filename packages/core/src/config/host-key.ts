/** The key under which a host's cursors are stored: a sequence number has no meaning on another host. */

/** The host of the bundled sample: a recording of an hour, of invented accounts. It drops nothing, and nothing comes after its end. */
export const SAMPLE_HOST = "sample";

/** The host in lower case, with its port if RELAY_URL names one; `sample` for the bundled relay, whatever its port is. */
export function hostKey(relayUrl: string | null): string {
  if (relayUrl === null) return SAMPLE_HOST;
  return relayUrl
    .toLowerCase()
    .replace(/^wss?:\/\//, "")
    .replace(/\/$/, "");
}
