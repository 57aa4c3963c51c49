/**
 * Event times and revisions in the stream come from each PDS, and nobody checks them. One that is far in the future must not stay the
 * newest for ever. A clock may be wrong by a few minutes, so this much is accepted.
 */
export const MOST_AHEAD_MS = 5 * 60_000;

export function isTooFarAhead(timeMs: number, nowMs: number): boolean {
  return timeMs - nowMs > MOST_AHEAD_MS;
}
