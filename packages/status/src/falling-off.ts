/** Whether a run will lose events because the relay drops them first: the one rule for page and terminal. Pure. */
import type { Snapshot } from "./snapshot.ts";

/** The warning begins when this share of the relay's retention is left. */
const SHARE = 1 / 4;

/** Seconds until the relay drops the next events to be read, if they are few; otherwise null. */
export function fallsOffSoon(snapshot: Pick<Snapshot, "fallsOffInSeconds" | "retentionSeconds">): number | null {
  const { fallsOffInSeconds, retentionSeconds } = snapshot;
  if (fallsOffInSeconds === null || retentionSeconds === null) return null;
  return fallsOffInSeconds < retentionSeconds * SHARE ? fallsOffInSeconds : null;
}
