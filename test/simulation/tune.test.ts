/**
 * When a tune acts: within a batch in a long-lived process and towards a slower pace, from the next tick on AWS towards a
 * faster one. What it plans again is no more than two ticks.
 */
import { control } from "@firehose-backfill/backfill/control";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { describe, expect, it } from "vitest";
import { measurePace } from "./pace-of.ts";
import { simulate, type Simulation } from "./simulate.ts";

const MINUTE = 60_000;
const SLOW = { BACKFILL_BATCH_SIZE: "5", BACKFILL_BATCH_DELAY_MS: "2000" };

/** `readsAtOnce`: as a long-lived process has it. */
async function tune(simulation: Simulation, delayMs: number, { readsAtOnce = false } = {}): Promise<void> {
  const { store, queue, clock } = simulation;
  await control(
    {
      store,
      queue,
      clock,
      readsAtOnce,
      random: Math.random,
      configure: parseConfig,
      limits: null,
      allowRelayFromEvent: false,
    },
    { action: "tune", settings: { BACKFILL_BATCH_DELAY_MS: delayMs } },
  );
  simulation.poke();
}

/** Events per second in the `ms` from now on. */
async function rateOfNext(simulation: Simulation, ms: number): Promise<number> {
  const from = simulation.clock.now();
  await simulation.pass(ms);
  return measurePace(simulation.database.applied, from, from + ms).ratePerSecond;
}

describe("a tune in a long-lived process", () => {
  it.each([
    [300, 5 / 0.3],
    [1_000, 5],
    [8_000, 5 / 8],
  ])("to %i ms acts within two batches", async (delayMs, rate) => {
    const simulation = await simulate({ settings: SLOW, home: "local" });
    await simulation.pass(5 * MINUTE + 7_000);
    expect((await simulation.run()).throttle.batchDelayMs).toBe(2_000);
    await tune(simulation, delayMs, { readsAtOnce: true });
    // One batch that was on its way may come at either end.
    const [soonMs, slackEvents] = [10 * delayMs, 10];
    const soon = (await rateOfNext(simulation, soonMs)) * (soonMs / 1_000);
    expect(Math.abs(soon - 50)).toBeLessThanOrEqual(slackEvents);
    const rest = await rateOfNext(simulation, 3 * MINUTE);
    expect(Math.abs(rest * 180 - rate * 180)).toBeLessThanOrEqual(0.03 * rate * 180 + 5);
    await simulation.stop();
  });

  it("reads little of the sample again, which two minutes ahead would be planned whole", async () => {
    const simulation = await simulate({
      settings: SLOW,
      home: "sample",
      stream: { commits: 300, operations: () => 1 },
    });
    await simulation.pass(31_000);
    await tune(simulation, 200, { readsAtOnce: true });
    // Of 31 s at 2.5 a second all but two ticks are counted.
    expect((await simulation.run()).totals.processed).toBeGreaterThanOrEqual(50);
    await simulation.pass(15_000);
    expect(await simulation.run()).toMatchObject({ status: "succeeded", totals: { processed: 300 } });
    await simulation.stop();
  });
});

describe("a tune on AWS", () => {
  it("to a faster pace acts from the next tick on, a minute later at most", async () => {
    const simulation = await simulate({ settings: SLOW });
    await simulation.pass(5 * MINUTE + 7_000);
    await tune(simulation, 500);
    const untilThen = await rateOfNext(simulation, 50_000);
    expect(untilThen).toBeGreaterThan(0.9 * 2.5);
    expect(untilThen).toBeLessThan(3);
    await simulation.pass(5_000);
    const rate = await rateOfNext(simulation, 2 * MINUTE);
    expect(rate / 10).toBeGreaterThan(0.97);
    expect(rate / 10).toBeLessThan(1.05);
    await simulation.stop();
  });

  it("to a slower pace acts within a batch", async () => {
    const simulation = await simulate({ settings: SLOW });
    await simulation.pass(5 * MINUTE + 7_000);
    await tune(simulation, 10_000);
    expect(await rateOfNext(simulation, MINUTE)).toBeLessThanOrEqual(0.5 + 5 / 60);
    await simulation.stop();
  });
});
