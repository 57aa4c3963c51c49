/** A diagonal through the grid: each stall, at each concurrency, in both orders, at each profile somewhere. Half of it in the short run; all of the grid is a benchmark. */
import { expect, it } from "vitest";
import { isLong } from "@firehose-backfill/testing/long";
import { CONCURRENCY, ORDERS, playSquare, PROFILES, type Square, STALL_SECONDS, STALLED } from "./grid.ts";

const SQUARES = STALL_SECONDS.flatMap((stallSeconds, index) => {
  const profile = PROFILES[index % PROFILES.length];
  const maxConcurrent = CONCURRENCY[index % CONCURRENCY.length];
  const order = ORDERS[Math.floor(index / 2) % ORDERS.length];
  const stalled = STALLED[index % STALLED.length];
  if (profile === undefined || maxConcurrent === undefined || order === undefined || stalled === undefined) return [];
  return [{ name: profile.profile, square: { profile, stallSeconds, stalled, maxConcurrent, order } satisfies Square }];
});

it.each(isLong ? SQUARES : SQUARES.filter((_, index) => index % 2 === 1))(
  "$name, $square.maxConcurrent at once, $square.order, an hour with the $square.stalled stalled for $square.stallSeconds s",
  async ({ square }) => {
    const figures = await playSquare(square);
    expect(figures.rateBefore).toBeGreaterThan(0.98);
    expect(figures.rateBefore).toBeLessThan(1.02);
    expect(figures.rateAfter).toBeGreaterThan(0.98);
    expect(figures.rateAfter).toBeLessThan(1.02);
    expect(figures.fullestMinute).toBeLessThanOrEqual(1);
    expect(figures.mostAtOnce).toBeLessThanOrEqual(square.maxConcurrent);
  },
  60_000,
);
