import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { estimateCost } from "./model.ts";
import { PRICES } from "./prices.ts";
import { UNIT_WORK, usageOf, type Workload } from "./usage.ts";

const WEEK_SECONDS = 7 * 86_400;

/** A week at the background pace: 2.5 events/s. */
const BACKGROUND_WEEK: Workload = {
  events: 2.5 * WEEK_SECONDS,
  batchSize: 5,
  batchDelayMs: 2_000,
  maxConcurrent: 2,
  functionMemoryMb: 640,
  databaseComputeUnits: 0.25,
};

function usd(workload: Workload, what: string): number {
  return estimateCost(workload).lines.find((line) => line.what === what)?.usd ?? Number.NaN;
}

describe("usage", () => {
  test("a week at the background pace", () => {
    const usage = usageOf(BACKGROUND_WEEK);
    expect(usage.seconds).toBe(WEEK_SECONDS);
    expect(usage.batches).toBe(302_400);
    expect(usage.ticks).toBe(10_080);
    // 45 ms of 640 MB for each batch, and 0.85 ms for each of its five events.
    expect(usage.consumerGbSeconds).toBeCloseTo(302_400 * 0.04925 * 0.625, 3);
  });

  test("without a pace the consumers decide how long it takes", () => {
    const unpaced = usageOf({ ...BACKGROUND_WEEK, batchDelayMs: 0, maxConcurrent: 4 });
    expect(unpaced.seconds).toBeCloseTo((302_400 * 0.04925) / 4, 6);
    expect(unpaced.batches).toBe(302_400);
  });

  test("a last batch that is not full is a batch", () => {
    expect(usageOf({ ...BACKGROUND_WEEK, events: 11 }).batches).toBe(3);
  });
});

describe("cost", () => {
  test("by hand, for a week at the background pace", () => {
    expect(usd(BACKGROUND_WEEK, "consumer, Lambda time")).toBeCloseTo(0.1241, 4);
    expect(usd(BACKGROUND_WEEK, "reader, Lambda time")).toBeCloseTo(0.126, 3);
    expect(usd(BACKGROUND_WEEK, "Lambda requests")).toBeCloseTo(0.0625, 4);
    expect(usd(BACKGROUND_WEEK, "database kept awake")).toBeCloseTo(168 * 0.25 * 0.106, 6);
    expect(usd(BACKGROUND_WEEK, "alarms")).toBeCloseTo((11 * 0.1 * 7) / 30.4375, 6);
  });

  test("the lines add up", () => {
    const { lines, awsUsd, databaseUsd, totalUsd } = estimateCost(BACKGROUND_WEEK);
    expect(lines.reduce((sum, line) => sum + line.usd, 0)).toBeCloseTo(totalUsd, 10);
    expect(awsUsd + databaseUsd).toBeCloseTo(totalUsd, 10);
  });

  test("consumers that sleep their delay cost more than all the rest", () => {
    const sleeping = estimateCost(BACKGROUND_WEEK, { work: { ...UNIT_WORK, batchMs: UNIT_WORK.batchMs + 2_000 } });
    const { awsUsd } = estimateCost(BACKGROUND_WEEK);
    expect(sleeping.awsUsd - awsUsd).toBeGreaterThan(awsUsd);
  });

  test("the free tier takes metrics, alarms and the dashboard away, and never below nothing", () => {
    const free = estimateCost(BACKGROUND_WEEK, { withFreeTier: true });
    const of = (what: string) => free.lines.find((line) => line.what === what)?.usd;
    // Alarms watch eleven metrics, of which ten are free.
    expect(of("alarms")).toBeCloseTo((1 * 0.1 * 7) / 30.4375, 6);
    expect(of("dashboard")).toBe(0);
    expect(of("metrics")).toBe(0);
    expect(of("consumer, Lambda time")).toBe(0);
    expect(free.basis).toContain("free tier");
  });

  test("issue 18.5: a week at the background pace, with all its alarms, costs no more than 1.33 beside the database", () => {
    expect(estimateCost(BACKGROUND_WEEK).awsUsd).toBeLessThanOrEqual(1.33);
    expect(UNIT_WORK.alarms).toBe(11);
  });

  test("nothing costs nothing", () => {
    expect(estimateCost({ ...BACKGROUND_WEEK, events: 0 })).toMatchObject({ totalUsd: 0, usdPerMillionEvents: 0 });
  });

  test("docs/cost.md says the same", async () => {
    const page = await readFile(new URL("../../../../docs/cost.md", import.meta.url), "utf8");
    const { lines, awsUsd } = estimateCost(BACKGROUND_WEEK);
    for (const { what, usd: price } of lines) expect(page).toContain(`| ${what} | ${price.toFixed(2)} |`);
    expect(page).toContain(`| **AWS** | **${awsUsd.toFixed(2)}** |`);
    expect(page).toContain(
      `${estimateCost(BACKGROUND_WEEK, { withFreeTier: true }).awsUsd.toFixed(2)} with what AWS gives`,
    );
  });

  test("says what it is based on", () => {
    expect(estimateCost(BACKGROUND_WEEK).basis).toBe("list prices of us-east-1, 2025-11");
    expect(PRICES.asOf).toMatch(/^\d{4}-\d{2}$/);
  });

  test("more events, or a dearer price, never cost less", () => {
    const workloads = fc.record({
      events: fc.integer({ min: 0, max: 1e9 }),
      batchSize: fc.integer({ min: 1, max: 1_000 }),
      batchDelayMs: fc.integer({ min: 0, max: 600_000 }),
      maxConcurrent: fc.integer({ min: 1, max: 100 }),
      functionMemoryMb: fc.integer({ min: 512, max: 10_240 }),
      databaseComputeUnits: fc.double({ min: 0, max: 16, noNaN: true }),
    });
    fc.assert(
      fc.property(workloads, fc.integer({ min: 1, max: 1e6 }), fc.boolean(), (workload, more, withFreeTier) => {
        const { totalUsd } = estimateCost(workload, { withFreeTier });
        const dearer = { ...PRICES, lambdaGbSecond: PRICES.lambdaGbSecond * 2 };
        expect(totalUsd).toBeGreaterThanOrEqual(0);
        expect(estimateCost({ ...workload, events: workload.events + more }).totalUsd).toBeGreaterThanOrEqual(
          estimateCost(workload).totalUsd - 1e-9,
        );
        expect(estimateCost(workload, { withFreeTier, prices: dearer }).totalUsd).toBeGreaterThanOrEqual(totalUsd);
      }),
    );
  });
});
