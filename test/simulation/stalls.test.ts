/** Stalls, crashes and repeats: while they last the run is slower; afterwards it is back on its pace, and never above it. */
import { describe, expect, it } from "vitest";
import { spread } from "@firehose-backfill/testing/long";
import { measurePace } from "./pace-of.ts";
import { simulate, type Simulation } from "./simulate.ts";

const MINUTE = 60_000;
const PROFILES = [
  { profile: "background", rate: 2.5, batch: 5 },
  { profile: "moderate", rate: 20, batch: 20 },
  { profile: "fast", rate: 100, batch: 50 },
] as const;

/** Back on time soon after: the last `ms` are at the rate. And never above it: no minute of the whole course is. */
function expectPace(
  simulation: Simulation,
  { rate, batch }: { readonly rate: number; readonly batch: number },
  ms: number,
): void {
  const { applied } = simulation.database;
  const now = simulation.clock.now();
  const whole = measurePace(applied, simulation.startMs, now);
  const recent = measurePace(applied, now - ms, now);
  expect(whole.most60).toBeLessThanOrEqual(1.05 * 60 * rate + batch);
  expect(recent.ratePerSecond / rate).toBeGreaterThan(0.98);
  expect(recent.ratePerSecond / rate).toBeLessThan(1.02);
}

describe.each(PROFILES)("$profile", (profile) => {
  const settings = { BACKFILL_PROFILE: profile.profile };

  it.each(spread([5, 10, 30, 60, 110, 600], [110]))("the database stalls for %i s", async (seconds) => {
    const simulation = await simulate({ settings, order: seconds % 20 === 10 ? "random" : "oldest-first" });
    await simulation.pass(5 * MINUTE);
    const from = simulation.clock.now();
    simulation.database.stall(from, from + seconds * 1000);
    await simulation.pass(seconds * 1000);
    const during = measurePace(simulation.database.applied, from + 100, simulation.clock.now());
    // At most what was already sent may come through a stall.
    expect(during.events).toBeLessThanOrEqual(2 * 10 * profile.batch);
    await simulation.pass(10 * MINUTE);
    expectPace(simulation, profile, 5 * MINUTE);
    await simulation.stop();
  });

  it.each(spread([5, 30, 110, 600, 3600], [600]))("no consumer runs for %i s", async (seconds) => {
    const simulation = await simulate({ settings, order: "random" });
    await simulation.pass(5 * MINUTE);
    simulation.holdConsumers = true;
    await simulation.pass(seconds * 1000);
    simulation.holdConsumers = false;
    await simulation.pass(10 * MINUTE);
    expectPace(simulation, profile, 5 * MINUTE);
    await simulation.stop();
  });

  it("the database is down for ten minutes", async () => {
    const simulation = await simulate({ settings });
    await simulation.pass(5 * MINUTE);
    const from = simulation.clock.now();
    simulation.database.down(from, from + 10 * MINUTE);
    await simulation.pass(5 * MINUTE);
    expect((await simulation.run()).waiting?.for).toBe("database");
    // Hidden for up to 900 s each: the last one comes back after the outage, at its own time.
    await simulation.pass(45 * MINUTE);
    expect((await simulation.run()).waiting).toBeNull();
    expectPace(simulation, profile, 5 * MINUTE);
    expect(simulation.results.filter(({ kind }) => kind === "dead-lettered")).toEqual([]);
    await simulation.stop();
  });

  it.each(spread(["after-reserve", "after-send-n", "after-send", "before-cursor"] as const, ["after-send-n"]))(
    "the reader dies %s, every third minute",
    async (point) => {
      let ticks = 0;
      let crashes = 0;
      const simulation = await simulate({
        settings,
        readerCrash: (name) => {
          if (name !== point) return;
          ticks += 1;
          if (ticks % 3 !== 0) return;
          crashes += 1;
          throw new Error(`crash ${name}`);
        },
      });
      await simulation.pass(20 * MINUTE);
      const whole = measurePace(simulation.database.applied, simulation.startMs, simulation.clock.now());
      expect(crashes).toBeGreaterThan(2);
      expect(whole.most60).toBeLessThanOrEqual(1.05 * 60 * profile.rate + profile.batch);
      await simulation.stop();
    },
  );

  it("messages come twice, at random", async () => {
    const simulation = await simulate({ settings, order: "random", repeatProbability: 0.01 });
    await simulation.pass(15 * MINUTE);
    expectPace(simulation, profile, 10 * MINUTE);
    simulation.holdReader = true;
    await simulation.pass(5 * MINUTE);
    simulation.holdReader = false;
    await simulation.pass(1_000);
    // Handed to the database more often than counted: the repeats came, and each batch counts once.
    const handed = simulation.database.applied.reduce((sum, { events }) => sum + events, 0);
    const { totals } = await simulation.run();
    expect(handed).toBeGreaterThan(totals.processed);
    expect(totals.received).toBe(totals.processed);
    await simulation.stop();
  });

  it("the clocks of the consumers are a second apart", async () => {
    const simulation = await simulate({ settings, skewMs: (index) => (index % 2 === 0 ? 1000 : -1000) });
    await simulation.pass(15 * MINUTE);
    expectPace(simulation, profile, 10 * MINUTE);
    await simulation.stop();
  });
});

describe("the table is away", () => {
  it.each(PROFILES)("$profile: nothing is applied unpaced, and it goes on", async (profile) => {
    const away = { isAway: false, refused: 0 };
    const simulation = await simulate({
      settings: { BACKFILL_PROFILE: profile.profile },
      store: {
        beforeCall: () => {
          if (!away.isAway) return;
          away.refused += 1;
          throw new Error("the table is away");
        },
      },
    });
    await simulation.pass(5 * MINUTE);
    away.isAway = true;
    const from = simulation.clock.now();
    await simulation.pass(2 * MINUTE);
    expect(away.refused).toBeGreaterThan(10);
    expect(measurePace(simulation.database.applied, from + 2_000, simulation.clock.now()).events).toBe(0);
    away.isAway = false;
    await simulation.pass(10 * MINUTE);
    expectPace(simulation, profile, 5 * MINUTE);
    await simulation.stop();
  });
});

describe("batches of one, a delay of 5 s", () => {
  it.each([
    ["first", 0],
    ["in the middle", 40],
    ["at the end", 100],
  ])("a commit of 200 operations %s", async (_where, at) => {
    const simulation = await simulate({
      settings: { BACKFILL_BATCH_SIZE: "1", BACKFILL_BATCH_DELAY_MS: "5000" },
      stream: { commits: 101, operations: (index) => (index === at ? 200 : 1) },
    });
    await simulation.pass(30 * MINUTE);
    const whole = measurePace(simulation.database.applied, simulation.startMs, simulation.clock.now());
    expect(whole.most60).toBeLessThanOrEqual(1.05 * 12 + 1);
    expect(whole.events).toBe(300);
    expect((await simulation.run()).status).toBe("succeeded");
    await simulation.stop();
  });
});

describe("a redrive of more than 1,000 batches", () => {
  it("is applied at the pace, beside the run itself, and corrects its counters", async () => {
    const simulation = await simulate({ settings: { BACKFILL_BATCH_SIZE: "5", BACKFILL_BATCH_DELAY_MS: "100" } });
    await simulation.pass(MINUTE);
    const from = simulation.clock.now();
    simulation.database.fail(from, from + 11 * MINUTE);
    await simulation.pass(11 * MINUTE);
    expect((await simulation.queue.figures()).deadLetters).toBeGreaterThan(1_000);
    await simulation.queue.redrive({ max: 10_000, withinMs: 60_000 });
    await simulation.pass(12 * MINUTE);
    expect((await simulation.queue.figures()).deadLetters).toBe(0);
    expect((await simulation.run()).totals.dead).toBe(0);
    expectPace(simulation, { rate: 50, batch: 5 }, 5 * MINUTE);
    await simulation.stop();
  }, 60_000);
});
