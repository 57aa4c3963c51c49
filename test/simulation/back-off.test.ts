/** Progressive back-off and its recovery, as the status shows it; what filters, repeats and the clock do to the pace. */
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { collectSnapshot } from "@firehose-backfill/status/collect-snapshot";
import { expect, it } from "vitest";
import { measurePace } from "./pace-of.ts";
import { simulate, type Simulation } from "./simulate.ts";

const MINUTE = 60_000;

async function status(simulation: Simulation) {
  const { store, queue, clock } = simulation;
  const { memory, allowedRatePerSecond } = await collectSnapshot({ store, queue, clock, config: parseConfig({}) });
  return { backOff: memory.backOff, pauses: memory.pauses, allowed: allowedRatePerSecond };
}

function lastMinutes(simulation: Simulation, minutes: number): number {
  const now = simulation.clock.now();
  return measurePace(simulation.database.applied, now - minutes * MINUTE, now).ratePerSecond;
}

it("memory is tight for two minutes: the run backs off, step by step, applies nothing above the limit, and recovers", async () => {
  const tight = { fromMs: Number.POSITIVE_INFINITY, untilMs: 0 };
  const simulation = await simulate({
    settings: { BACKFILL_PROFILE: "moderate" },
    rssMb: (nowMs) => (nowMs >= tight.fromMs && nowMs < tight.untilMs ? 1_100 : 400),
  });
  await simulation.pass(5 * MINUTE);
  expect(await status(simulation)).toEqual({ backOff: 1, pauses: 0, allowed: 20 });
  tight.fromMs = simulation.clock.now();
  tight.untilMs = tight.fromMs + 2 * MINUTE;
  await simulation.pass(1_000);
  const during = await status(simulation);
  expect(during.backOff).toBe(2);
  expect(during.allowed).toBe(10);
  expect(during.pauses).toBeGreaterThan(0);
  await simulation.pass(2 * MINUTE - 1_000);
  // What was in hand when it became tight is done by now.
  expect(measurePace(simulation.database.applied, tight.fromMs + 1_000, tight.untilMs).events).toBe(0);
  // Quiet again: a minute for each halving, seen at the next tick.
  await simulation.pass(20 * MINUTE);
  expect(await status(simulation)).toMatchObject({ backOff: 1, allowed: 20 });
  expect(lastMinutes(simulation, 5) / 20).toBeGreaterThan(0.98);
  await simulation.stop();
});

it("the database answers slowly: the latency signal halves the pace, and a quiet minute gives it back", async () => {
  const simulation = await simulate({ settings: { BACKFILL_PROFILE: "moderate" }, latencyMs: 10 });
  await simulation.pass(5 * MINUTE);
  const now = simulation.clock.now();
  simulation.database.stall(now + 500, now + 1_300);
  await simulation.pass(5_000);
  expect(await status(simulation)).toMatchObject({ backOff: 2, allowed: 10, pauses: 0 });
  expect((await simulation.run()).backOffReason).toBe("latency");
  await simulation.pass(3 * MINUTE);
  expect(await status(simulation)).toMatchObject({ backOff: 1, allowed: 20 });
  // What was planned meanwhile keeps its slots, two ticks of them.
  await simulation.pass(5 * MINUTE);
  expect(lastMinutes(simulation, 3) / 20).toBeGreaterThan(0.98);
  await simulation.stop();
});

it("slow answers for a minute: backed off as far as it goes, the run is on its pace soon after they end", async () => {
  const simulation = await simulate({ settings: { BACKFILL_PROFILE: "moderate" }, latencyMs: 10 });
  const { clock, database, startMs } = simulation;
  await simulation.pass(5 * MINUTE);
  const slowUntilMs = clock.now() + MINUTE;
  for (let atMs = clock.now(); atMs < slowUntilMs; atMs += 300) database.stall(atMs, atMs + 290);
  await simulation.pass(MINUTE);
  expect(await status(simulation)).toMatchObject({ backOff: 16, allowed: 1.25 });
  // A minute and a tick for each of four halvings; then what the last ones planned, two ticks at most.
  await simulation.pass(10 * MINUTE);
  expect(await status(simulation)).toMatchObject({ backOff: 1, allowed: 20 });
  await simulation.pass(5 * MINUTE);
  expect(lastMinutes(simulation, 5) / 20).toBeGreaterThan(0.98);
  expect(measurePace(database.applied, startMs, clock.now()).most60).toBeLessThanOrEqual(1.05 * 60 * 20 + 20);
  await simulation.stop();
});

it.each([
  { profile: "background", rate: 2.5, batch: 5 },
  { profile: "fast", rate: 100, batch: 50 },
])(
  "a filter lets three times the pace through, as fast as the host sends: $profile",
  async ({ profile, rate, batch }) => {
    const simulation = await simulate({
      settings: { BACKFILL_PROFILE: profile },
      // Two operations a commit, half of which pass.
      stream: { operations: () => 2, matching: 0.5, commitsPerSecond: 3 * rate },
    });
    await simulation.pass(30 * MINUTE);
    const { applied } = simulation.database;
    const whole = measurePace(applied, simulation.startMs, simulation.clock.now());
    expect(whole.most60).toBeLessThanOrEqual(1.05 * 60 * rate + batch);
    expect(lastMinutes(simulation, 25) / rate).toBeGreaterThan(0.98);
    expect(lastMinutes(simulation, 25) / rate).toBeLessThan(1.02);
    const { totals } = await simulation.run();
    expect(totals.skipped["collection"]).toBeGreaterThan(0.9 * totals.processed);
    await simulation.stop();
  },
);

it.each([
  { profile: "background", rate: 2.5, batch: 5 },
  { profile: "fast", rate: 100, batch: 50 },
])("a window is sent twice: $profile", async ({ profile, rate, batch }) => {
  const reader = { sends: 0 };
  const simulation = await simulate({
    settings: { BACKFILL_PROFILE: profile },
    readerCrash: (point) => {
      if (point !== "after-send") return;
      reader.sends += 1;
      if (reader.sends === 5) throw new Error("killed between send and cursor");
    },
  });
  await simulation.pass(30 * MINUTE);
  const { applied } = simulation.database;
  const whole = measurePace(applied, simulation.startMs, simulation.clock.now());
  expect(whole.most60).toBeLessThanOrEqual(1.05 * 60 * rate + batch);
  expect(lastMinutes(simulation, 15) / rate).toBeGreaterThan(0.98);
  expect(lastMinutes(simulation, 15) / rate).toBeLessThan(1.02);
  // It did come twice.
  const handed = applied.reduce((sum, { events }) => sum + events, 0);
  const { totals } = await simulation.run();
  expect(handed - totals.processed).toBeGreaterThan(batch);
  await simulation.stop();
});

it("off-peak hours: that profile's pace inside the window, the run's own before and after it", async () => {
  // The clock of a simulation begins at midnight UTC.
  const simulation = await simulate({ settings: { BACKFILL_OFF_PEAK: "00:30-01:00 UTC moderate" } });
  const { startMs, database } = simulation;
  await simulation.pass(100 * MINUTE);
  const rate = (fromMinute: number, toMinute: number) =>
    measurePace(database.applied, startMs + fromMinute * MINUTE, startMs + toMinute * MINUTE).ratePerSecond;
  expect(rate(0, 29) / 2.5).toBeCloseTo(1, 1);
  expect(rate(33, 60) / 20).toBeCloseTo(1, 1);
  // What was planned at the faster pace takes new slots at the slower one.
  expect(rate(62, 100) / 2.5).toBeCloseTo(1, 1);
  expect(measurePace(database.applied, startMs + 61 * MINUTE, startMs + 100 * MINUTE).most60).toBeLessThanOrEqual(
    1.05 * 60 * 2.5 + 20,
  );
  expect((await simulation.run()).tunes.map(({ by }) => by)).toEqual(["off-peak", "off-peak"]);
  await simulation.stop();
});
