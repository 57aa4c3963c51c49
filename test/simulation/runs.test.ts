/** Several runs on one pace, on a virtual clock: who is served, how fast the sum is, and what becomes of a loss of one of them. */
import { describe, expect, test } from "vitest";
import { measurePace } from "./pace-of.ts";
import { simulate, type Simulation } from "./simulate.ts";

const MINUTE = 60_000;
/** 5 events a second. */
const SETTINGS = { BACKFILL_BATCH_SIZE: "5", BACKFILL_BATCH_DELAY_MS: "1000" };
const RATE = 5;
const ONE_EACH = { operations: () => 1 };

function eventsOf({ database }: Simulation, runId: string, fromMs: number, untilMs: number): number {
  const its = database.applied.filter((batch) => batch.runId === runId);
  return measurePace(its, fromMs, untilMs).events;
}

function expectRate({ database }: Simulation, fromMs: number, untilMs: number): void {
  const { ratePerSecond } = measurePace(database.applied, fromMs, untilMs);
  expect(ratePerSecond).toBeGreaterThan(RATE * 0.98);
  expect(ratePerSecond).toBeLessThan(RATE * 1.02);
}

test("issue 14.3: a nightly run beside a long one finishes in time, the sum keeps the rate within 2 %, and the long one does not starve", async () => {
  const nightly = { ...ONE_EACH, commits: 6_000 };
  const simulation = await simulate({
    settings: SETTINGS,
    others: { long: { ...ONE_EACH, isLasting: true }, nightly },
    // The first run is over at once: what is looked at begins after it.
    stream: { commits: 1 },
  });
  const { clock, store } = simulation;
  await simulation.begin("long");
  await simulation.pass(20 * MINUTE);
  const beganMs = clock.now();
  expectRate(simulation, beganMs - 15 * MINUTE, beganMs);
  await simulation.begin("nightly");
  // Alone it would take 20 minutes.
  await simulation.pass(24 * MINUTE);
  expect(await simulation.run("nightly")).toMatchObject({ status: "succeeded", totals: { processed: 6_000 } });
  const finishedMs = (await simulation.run("nightly")).finishedAtMs ?? 0;
  expectRate(simulation, beganMs, finishedMs);
  for (let minute = 0; minute < 20; minute += 5) {
    const fromMs = beganMs + minute * MINUTE;
    expect(eventsOf(simulation, "long", fromMs, fromMs + 5 * MINUTE)).toBeGreaterThan(10);
  }
  // The long one has all of it again.
  await simulation.pass(10 * MINUTE);
  expectRate(simulation, clock.now() - 8 * MINUTE, clock.now());
  expect((await store.openRuns()).map(({ runId }) => runId)).toEqual(["long"]);
  await simulation.stop();
}, 60_000);

test.each(["deployed", "local"])(
  "issue 14.3: %s, a run whose source has little to give leaves the rest to the other one at once",
  async (home) => {
    const simulation = await simulate({
      settings: SETTINGS,
      others: { slow: { ...ONE_EACH, commitsPerSecond: 0.2 } },
      stream: ONE_EACH,
      ...(home === "local" ? { home: "local" as const } : {}),
    });
    const { clock } = simulation;
    await simulation.begin("slow");
    await simulation.pass(25 * MINUTE);
    const [fromMs, untilMs] = [clock.now() - 20 * MINUTE, clock.now()];
    expectRate(simulation, fromMs, untilMs);
    // It gives 0.2 a second while somebody reads, 240 in this time. A local reader reads about half of the time: it begins once a tick is free.
    expect(eventsOf(simulation, "slow", fromMs, untilMs)).toBeGreaterThan(home === "local" ? 100 : 180);
    await simulation.stop();
  },
  60_000,
);

test("issue 14.3: five runs of one kind are served in turn, and their sum keeps the rate", async () => {
  const kinds = ["a", "b", "c", "d"];
  const simulation = await simulate({
    settings: SETTINGS,
    others: Object.fromEntries(kinds.map((kind) => [kind, { ...ONE_EACH, isLasting: true }])),
    stream: { commits: 1 },
  });
  const { clock } = simulation;
  for (const kind of kinds) await simulation.begin(kind);
  await simulation.pass(30 * MINUTE);
  const [fromMs, untilMs] = [clock.now() - 25 * MINUTE, clock.now()];
  expectRate(simulation, fromMs, untilMs);
  for (const kind of kinds) {
    const share = eventsOf(simulation, kind, fromMs, untilMs) / (RATE * 25 * 60);
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.3);
  }
  expect(simulation.database.mostAtOnce()).toBeLessThanOrEqual(2);
  await simulation.stop();
}, 60_000);

test("issue 14.2: a new generation of one run and a tune leave the sum on the pace, and every run ends with its own events", async () => {
  const simulation = await simulate({
    settings: SETTINGS,
    others: { a: { ...ONE_EACH, commits: 1_500 }, b: { ...ONE_EACH, commits: 1_500 } },
    stream: { ...ONE_EACH, commits: 1_500 },
  });
  const { store, clock } = simulation;
  await simulation.begin("a");
  await simulation.begin("b");
  await simulation.pass(4 * MINUTE);
  const { generation, appliedCursor } = await simulation.run("a");
  await store.newGeneration("a", { generationBefore: generation, cursor: appliedCursor, nowMs: clock.now() });
  await simulation.pass(20 * MINUTE);
  for (const runId of ["simulated", "a", "b"])
    expect(await simulation.run(runId)).toMatchObject({
      status: "succeeded",
      totals: { received: 1_500, processed: 1_500, dead: 0 },
    });
  const { most60 } = measurePace(simulation.database.applied, 0, clock.now());
  expect(most60).toBeLessThanOrEqual(RATE * 60 * 1.02 + 5);
  await simulation.stop();
}, 60_000);

describe("issue 14.4: messages of one run are purged", () => {
  /** Takes the messages of one run out of the queue, as a purge would if it were only for it. */
  async function purge({ queue }: Simulation, runId: string): Promise<number> {
    let gone = 0;
    for (;;) {
      const messages = await queue.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 1 });
      if (messages.length === 0) return gone;
      for (const message of messages) {
        if (message.content.kind !== "batch" || message.content.batch.key.runId !== runId) continue;
        await queue.remove(message.receiptHandle);
        gone += 1;
      }
    }
  }

  test("while another run goes on: its events are read again within minutes", async () => {
    const simulation = await simulate({
      settings: SETTINGS,
      others: { busy: { ...ONE_EACH, isLasting: true } },
      stream: { ...ONE_EACH, commits: 900 },
    });
    await simulation.begin("busy");
    await simulation.pass(2 * MINUTE);
    simulation.holdConsumers = true;
    await simulation.pass(2 * MINUTE);
    expect(await purge(simulation, "simulated")).toBeGreaterThan(5);
    simulation.holdConsumers = false;
    await simulation.pass(35 * MINUTE);
    expect(await simulation.run()).toMatchObject({
      status: "succeeded",
      generation: 2,
      totals: { received: 900, processed: 900, dead: 0 },
    });
    expect((await simulation.run("busy")).generation).toBe(1);
    await simulation.stop();
  }, 60_000);

  test("and a message that only a newer program reads stays in the queue: they are read again within minutes", async () => {
    const simulation = await simulate({ settings: SETTINGS, stream: { ...ONE_EACH, commits: 900 } });
    const { queue, clock } = simulation;
    await simulation.pass(MINUTE);
    simulation.holdConsumers = true;
    await simulation.pass(2 * MINUTE);
    expect(await purge(simulation, "simulated")).toBeGreaterThan(5);
    queue.sendRaw({ body: "{}", payload: Uint8Array.of(99, 0) });
    simulation.holdConsumers = false;
    const purgedMs = clock.now();
    while ((await simulation.run()).generation === 1 && clock.now() - purgedMs < 60 * MINUTE)
      await simulation.pass(MINUTE);
    expect((clock.now() - purgedMs) / MINUTE).toBeLessThanOrEqual(22);
    await simulation.pass(10 * MINUTE);
    expect(await simulation.run()).toMatchObject({ status: "succeeded", totals: { processed: 900, dead: 0 } });
    await simulation.stop();
  }, 60_000);
});
