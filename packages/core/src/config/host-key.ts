/** The key under which a host's cursors are stored: a sequence number has no meaning on another host. */

/** The host in lower case, with its port if RELAY_URL names one; `sample` for the bundled relay, whatever its port is. */
export function hostKey(relayUrl: string | null): string {
  if (relayUrl === null) return "sample";
  return relayUrl
    .toLowerCase()
    .replace(/^wss?:\/\//, "")
    .replace(/\/$/, "");
}
