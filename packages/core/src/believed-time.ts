/**
 * Times in the stream come from each PDS, and revisions too; nobody vouches for them. A single one that is far ahead must
 * not decide for good what is newest. A clock may be wrong by a few minutes: so much is let through.
 */
export const MOST_AHEAD_MS = 5 * 60_000;

export function isTooFarAhead(timeMs: number, nowMs: number): boolean {
  return timeMs - nowMs > MOST_AHEAD_MS;
}
