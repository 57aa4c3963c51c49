/** What a pace was, from when statements were sent: rate over all, and the fullest window of a given length. */
import type { AppliedBatch } from "./database.ts";

type Applied = Pick<AppliedBatch, "atMs" | "events">;

export interface MeasuredPace {
  readonly events: number;
  readonly ratePerSecond: number;
  /** Most events in any 60 s. */
  readonly most60: number;
}

export function measurePace(applied: readonly Applied[], fromMs: number, untilMs: number): MeasuredPace {
  const inside = applied.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs).toSorted((a, b) => a.atMs - b.atMs);
  const events = inside.reduce((sum, batch) => sum + batch.events, 0);
  return { events, ratePerSecond: (events * 1000) / (untilMs - fromMs), most60: mostIn(inside, 60_000) };
}

export function mostIn(sorted: readonly Applied[], windowMs: number): number {
  let most = 0;
  let sum = 0;
  let first = 0;
  for (const { atMs, events } of sorted) {
    sum += events;
    for (;;) {
      const oldest = sorted[first];
      if (oldest === undefined || oldest.atMs > atMs - windowMs) break;
      sum -= oldest.events;
      first += 1;
    }
    most = Math.max(most, sum);
  }
  return most;
}
