/**
 * Whether a run at some rate stays ahead of the oldest event that the relay keeps. Both move forward in event time: the oldest
 * event by one second a second, the reader as fast as its pace allows. Pure.
 */
import type { Measured } from "./measure.ts";

export interface Race {
  /** The event times at the stretches' ends, and the number of matching events up to there. */
  readonly stretches: readonly Pick<Measured, "toMs" | "matching">[];
  readonly fromMs: number;
  readonly oldestKeptMs: number;
}

/** Seconds until the relay drops the events that the reader would read next; null: this never happens. */
export function fallsOffAfter({ stretches, fromMs, oldestKeptMs }: Race, ratePerSecond: number): number | null {
  let atMs = fromMs;
  let seconds = 0;
  for (const { toMs, matching } of stretches) {
    const takes = matching / ratePerSecond;
    const lead = (atMs - oldestKeptMs) / 1_000 - seconds;
    const leadAfter = (toMs - oldestKeptMs) / 1_000 - (seconds + takes);
    if (leadAfter < 0) {
      // Within a stretch, the lead shrinks evenly.
      return seconds + (lead <= 0 ? 0 : (takes * lead) / (lead - leadAfter));
    }
    atMs = toMs;
    seconds += takes;
  }
  return null;
}

/** The lowest rate at which no event is lost; null: no rate is enough, because the run begins at the relay's oldest event. */
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
