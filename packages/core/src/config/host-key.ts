/** The name that a host's cursors go by: a sequence number means nothing on any other host. */

/** host, with the port where RELAY_URL names one, in lower case; `sample` for the bundled relay, whatever its port. */
export function hostKey(relayUrl: string | null): string {
  if (relayUrl === null) return "sample";
  return relayUrl
    .toLowerCase()
    .replace(/^wss?:\/\//, "")
    .replace(/\/$/, "");
}
