/**
 * A run that waits for the database goes on when that is back, also where no batch of its own is left that could find it
 * out: a waiting that nobody ends would be one without an end.
 */
import { DEFAULT_PACE_ID } from "@firehose-backfill/checkpoint/pace";
import { expect, test } from "vitest";
import { simulate, type Simulation } from "./simulate.ts";

const MINUTE = 60_000;
const SETTINGS = { BACKFILL_BATCH_SIZE: "5", BACKFILL_BATCH_DELAY_MS: "1000" };
const EVENTS = 1_500;
const STREAM = { commits: EVENTS, operations: () => 1 };

/** The database is down until the run waits; then every message is in sight, and no consumer takes one. */
async function waitingRun(): Promise<Simulation> {
  const simulation = await simulate({ settings: SETTINGS, stream: STREAM });
  const { clock, database } = simulation;
  await simulation.pass(30_000);
  database.down(clock.now(), clock.now() + 20 * MINUTE);
  await simulation.pass(4 * MINUTE);
  simulation.holdConsumers = true;
  await simulation.pass(20 * MINUTE);
  expect(await simulation.run()).toMatchObject({ status: "running", waiting: { for: "database" } });
  return simulation;
}

/** Takes every message out of the queue, and does with it as told. */
async function drain(
  { queue }: Simulation,
  take: (message: Awaited<ReturnType<Simulation["queue"]["receive"]>>[number]) => Promise<void>,
): Promise<void> {
  let taken = 0;
  for (;;) {
    const messages = await queue.receive({ max: 10, waitSeconds: 0 });
    if (messages.length === 0) break;
    for (const message of messages) await take(message);
    taken += messages.length;
  }
  expect(taken).toBeGreaterThan(10);
}

async function finishAll(simulation: Simulation, outcome: "applied" | "dead"): Promise<void> {
  const { store, queue, clock } = simulation;
  await drain(simulation, async ({ content, receiptHandle }) => {
    if (content.kind !== "batch") throw new Error(content.kind);
    const { key, events } = content.batch;
    const n = events.length;
    const counts = outcome === "applied" ? { applied: n, stale: 0, dead: 0 } : { applied: 0, stale: 0, dead: n };
    await store.finish(key, outcome, counts, { nowMs: clock.now(), redriven: false });
    await queue.remove(receiptHandle);
  });
}

test.each<[string, (simulation: Simulation) => Promise<void>]>([
  ["dies, in the ledger", (simulation) => finishAll(simulation, "dead")],
  ["was applied already", (simulation) => finishAll(simulation, "applied")],
  ["is given up by SQS itself", (simulation) => drain(simulation, (message) => simulation.queue.deadLetter(message))],
  ["is purged", (simulation) => drain(simulation, ({ receiptHandle }) => simulation.queue.remove(receiptHandle))],
  [
    "dies while the run is pausing, and it is resumed",
    async (simulation) => {
      const { store } = simulation;
      await store.transition("simulated", ["running"], "pausing", {});
      await finishAll(simulation, "dead");
      await simulation.pass(2 * MINUTE);
      expect(await simulation.run()).toMatchObject({ status: "paused", waiting: null });
      await store.transition("simulated", ["paused"], "running", {});
    },
  ],
  [
    "was of another run, which noted here that it waits",
    async (simulation) => {
      await finishAll(simulation, "applied");
      await simulation.pass(2 * MINUTE);
      const { store, clock } = simulation;
      await store.setWaiting(DEFAULT_PACE_ID, { for: "throttle query: 3 > 0", sinceMs: clock.now() });
    },
  ],
])("fault 8: the last outstanding batch of a run that waits %s: the run goes on", async (_name, end) => {
  const simulation = await waitingRun();
  await end(simulation);
  simulation.holdConsumers = false;
  await simulation.pass(20 * MINUTE);
  const run = await simulation.run();
  expect(run).toMatchObject({ status: "succeeded", waiting: null, totals: { received: EVENTS } });
  expect(run.totals.processed + run.totals.dead).toBe(EVENTS);
  await simulation.stop();
});

test("fault 8: while a batch is outstanding, the run waits and reads nothing", async () => {
  const simulation = await waitingRun();
  const { readerCursor, waiting } = await simulation.run();
  await simulation.pass(30 * MINUTE);
  expect(await simulation.run()).toMatchObject({ readerCursor, waiting });
  await simulation.stop();
});

test("issue 12.4: a throttle query whose value changes is one entry in the errors, and one line", async () => {
  const said: string[] = [];
  const simulation = await simulate({ settings: SETTINGS, stream: STREAM, log: (line) => said.push(line) });
  let value = 1;
  simulation.database.health = async () =>
    value === 0 ? { kind: "healthy" } : { kind: "unhealthy", because: `throttle query: ${value} > 0` };
  for (let minute = 0; minute < 30; minute += 1) {
    value += 1;
    await simulation.pass(MINUTE);
  }
  const errors = await simulation.store.listErrors("simulated");
  expect(errors).toEqual([
    expect.objectContaining({ kind: "waiting: throttle query", message: (await simulation.run()).waiting?.for }),
  ]);
  expect(errors[0]?.times).toBeGreaterThan(5);
  expect(said.filter((line) => line.includes("Waiting"))).toHaveLength(1);
  value = 0;
  await simulation.pass(40 * MINUTE);
  expect(await simulation.run()).toMatchObject({ status: "succeeded", waiting: null });
  await simulation.stop();
});
