/** Whether a run loses against its relay's window: the one rule by which page and terminal say so. Pure. */
import type { Snapshot } from "./snapshot.ts";

/** Of what the relay keeps, so much is left before it is worth a warning. */
const SHARE = 1 / 4;

/** Seconds until what is read next falls off, when they are few; else null. */
export function fallsOffSoon(snapshot: Pick<Snapshot, "fallsOffInSeconds" | "retentionSeconds">): number | null {
  const { fallsOffInSeconds, retentionSeconds } = snapshot;
  if (fallsOffInSeconds === null || retentionSeconds === null) return null;
  return fallsOffInSeconds < retentionSeconds * SHARE ? fallsOffInSeconds : null;
}
