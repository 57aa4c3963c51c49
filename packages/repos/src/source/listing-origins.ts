/** The hosts that list repositories by collection, from RELAY_URL: of a relay, or of several, separated by commas. */

export function listingOrigins(relayUrl: string | null): readonly string[] {
  if (relayUrl === null) return [];
  return relayUrl.split(",").map((url) => url.replace(/^ws/, "http"));
}
