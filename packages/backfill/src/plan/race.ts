/**
 * Whether a run at some rate stays ahead of the relay's window: both move forward in time, the window by a second a second,
 * the reader by as much stream as its pace lets through. Pure.
 */
import type { Measured } from "./measure.ts";

export interface Race {
  /** Moments of the stretches' ends by event time, and the matching events up to there. */
  readonly stretches: readonly Pick<Measured, "toMs" | "matching">[];
  readonly fromMs: number;
  readonly oldestKeptMs: number;
}

/** Seconds until the relay drops what the reader would read next; null: it never comes to that. */
export function fallsOffAfter({ stretches, fromMs, oldestKeptMs }: Race, ratePerSecond: number): number | null {
  let atMs = fromMs;
  let seconds = 0;
  for (const { toMs, matching } of stretches) {
    const takes = matching / ratePerSecond;
    const lead = (atMs - oldestKeptMs) / 1_000 - seconds;
    const leadAfter = (toMs - oldestKeptMs) / 1_000 - (seconds + takes);
    if (leadAfter < 0) {
      // It shrinks evenly within the stretch.
      return seconds + (lead <= 0 ? 0 : (takes * lead) / (lead - leadAfter));
    }
    atMs = toMs;
    seconds += takes;
  }
  return null;
}

/** The lowest rate at which nothing falls off; null: no rate is enough, because the window begins at its very edge. */
export function neededRate({ stretches, oldestKeptMs }: Race): number | null {
  let needed = 0;
  let matching = 0;
  for (const stretch of stretches) {
    matching += stretch.matching;
    const mostSeconds = (stretch.toMs - oldestKeptMs) / 1_000;
    if (matching === 0) continue;
    if (mostSeconds <= 0) return null;
    needed = Math.max(needed, matching / mostSeconds);
  }
  return needed;
}
