/** Compares this machine's clock with others. AWS refuses signatures at a difference of 5 minutes; event times have the same limit. */
import { type Check, fail, ok, warn } from "./check.ts";

const NOTICEABLE_MS = 5_000;
const TOO_FAR_MS = 300_000;

export interface Reading {
  readonly name: string;
  /** Their time, and ours in the middle of the request. */
  readonly theirsMs: number;
  readonly oursMs: number;
  /** The uncertainty of such a reading. */
  readonly toleranceMs: number;
}

/** Uses the best reading; empty: no server answered. */
export function checkClock(readings: readonly Reading[]): Check {
  const [best] = readings.toSorted((left, right) => left.toleranceMs - right.toleranceMs);
  if (best === undefined) return ok("clock", "not compared, because no server outside of this machine was reached");
  const offMs = best.oursMs - best.theirsMs;
  const found = `${(Math.abs(offMs) / 1_000).toFixed(1)} s ${offMs < 0 ? "behind" : "ahead of"} the ${best.name}'s`;
  const advice = "switch time synchronisation on (timedatectl set-ntp true)";
  if (Math.abs(offMs) > TOO_FAR_MS) return fail("clock", found, advice);
  return Math.abs(offMs) > NOTICEABLE_MS + best.toleranceMs ? warn("clock", found, advice) : ok("clock", found);
}
