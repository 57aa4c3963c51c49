/** This machine's clock against somebody else's. Signatures of AWS fail at 5 minutes; event times are judged by the same. */
import { type Check, fail, ok, warn } from "./check.ts";

const NOTICEABLE_MS = 5_000;
const TOO_FAR_MS = 300_000;

export interface Reading {
  readonly name: string;
  /** Theirs, and ours in the middle of asking. */
  readonly theirsMs: number;
  readonly oursMs: number;
  /** How far off such a reading may be by itself. */
  readonly toleranceMs: number;
}

/** By the best of them; empty: nobody could be asked. */
export function checkClock(readings: readonly Reading[]): Check {
  const [best] = readings.toSorted((left, right) => left.toleranceMs - right.toleranceMs);
  if (best === undefined) return ok("clock", "not compared, because no server outside of this machine was reached");
  const offMs = best.oursMs - best.theirsMs;
  const found = `${(Math.abs(offMs) / 1_000).toFixed(1)} s ${offMs < 0 ? "behind" : "ahead of"} the ${best.name}'s`;
  const advice = "switch time synchronisation on (timedatectl set-ntp true)";
  if (Math.abs(offMs) > TOO_FAR_MS) return fail("clock", found, advice);
  return Math.abs(offMs) > NOTICEABLE_MS + best.toleranceMs ? warn("clock", found, advice) : ok("clock", found);
}
