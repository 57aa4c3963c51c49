/**
 * One square of the grid that the throttle's first table spans: an hour of a profile, with so many at once, with messages
 * in one order or another, and a stall in the middle of it.
 */
import { measurePace, mostIn } from "./pace-of.ts";
import { simulate } from "./simulate.ts";

export const PROFILES = [
  { profile: "background", rate: 2.5, batch: 5 },
  { profile: "moderate", rate: 20, batch: 20 },
  { profile: "fast", rate: 100, batch: 50 },
] as const;
export const STALL_SECONDS = [0, 5, 10, 30, 60, 110, 600, 3_600] as const;
export const CONCURRENCY = [1, 2, 5, 10] as const;
export const ORDERS = ["oldest-first", "random"] as const;
export const STALLED = ["database", "consumers"] as const;

export interface Square {
  readonly profile: (typeof PROFILES)[number];
  readonly stallSeconds: number;
  readonly stalled: (typeof STALLED)[number];
  readonly maxConcurrent: number;
  readonly order: (typeof ORDERS)[number];
}

export interface SquareFigures {
  /** Over the minutes before the stall, and over those that begin five minutes after it, against the allowed rate. */
  readonly rateBefore: number;
  readonly rateAfter: number;
  /** Most events in any 60 s of the whole course, against what is allowed: 1.05 x 60 x rate + one batch. */
  readonly fullestMinute: number;
  readonly mostAtOnce: number;
  readonly billedMsPerEvent: number;
  readonly mostReceives: number;
}

const MINUTE = 60_000;
const BEFORE_MS = 20 * MINUTE;
const RECOVERS_WITHIN_MS = 5 * MINUTE;
const AFTER_MS = 35 * MINUTE;

export async function playSquare(square: Square): Promise<SquareFigures> {
  const { profile, stallSeconds, maxConcurrent, order } = square;
  const simulation = await simulate({
    settings: { BACKFILL_PROFILE: profile.profile, BACKFILL_MAX_CONCURRENT: String(maxConcurrent) },
    order,
  });
  const { clock, database, startMs } = simulation;
  await simulation.pass(BEFORE_MS);
  const stallMs = stallSeconds * 1_000;
  const fromMs = clock.now();
  if (square.stalled === "database") database.stall(fromMs, fromMs + stallMs);
  else simulation.holdConsumers = stallMs > 0;
  await simulation.pass(stallMs);
  simulation.holdConsumers = false;
  await simulation.pass(RECOVERS_WITHIN_MS);
  const recoveredMs = clock.now();
  await simulation.pass(AFTER_MS);
  const endMs = clock.now();
  await simulation.stop();

  const { applied } = database;
  const sorted = applied.toSorted((a, b) => a.atMs - b.atMs);
  const events = applied.reduce((sum, batch) => sum + batch.events, 0);
  return {
    rateBefore: measurePace(applied, startMs, fromMs).ratePerSecond / profile.rate,
    rateAfter: measurePace(applied, recoveredMs, endMs).ratePerSecond / profile.rate,
    fullestMinute: mostIn(sorted, MINUTE) / (1.05 * 60 * profile.rate + profile.batch),
    mostAtOnce: database.mostAtOnce(),
    billedMsPerEvent: simulation.billed().ms / events,
    mostReceives: simulation.mostReceives(),
  };
}
