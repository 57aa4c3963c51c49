/** Messages that are nowhere any more, or where no consumer looks: nothing is lost with them, and nothing waits for them. */
import { encodeMessage } from "@firehose-backfill/queue/message-codec";
import { batchOf, logged, recordEvent } from "@firehose-backfill/testing/queue/batches";
import { expect, test } from "vitest";
import { simulate, type Simulation } from "./simulate.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** 200 commits of one event, at five events a second. */
const SETTINGS = { BACKFILL_BATCH_SIZE: "5", BACKFILL_BATCH_DELAY_MS: "1000" };
const EVENTS = 200;
const STREAM = { commits: EVENTS, operations: () => 1 };

/** Takes everything that can be received out of the queue, and does with it as told. */
async function drain(
  { queue }: Simulation,
  take: (message: Awaited<ReturnType<Simulation["queue"]["receive"]>>[number]) => Promise<void>,
): Promise<number> {
  let taken = 0;
  for (;;) {
    const messages = await queue.receive({ max: 10, waitSeconds: 0 });
    if (messages.length === 0) return taken;
    for (const message of messages) await take(message);
    taken += messages.length;
  }
}

test("a purged queue: what was in it is read again in a new generation, from the applied cursor, and counted once", async () => {
  const simulation = await simulate({ settings: SETTINGS, stream: STREAM });
  simulation.holdConsumers = true;
  await simulation.pass(2 * MINUTE);
  expect(await drain(simulation, ({ receiptHandle }) => simulation.queue.remove(receiptHandle))).toBeGreaterThan(10);
  const { generation } = await simulation.run();
  simulation.holdConsumers = false;
  await simulation.pass(10 * MINUTE);
  const run = await simulation.run();
  expect(run).toMatchObject({ status: "succeeded", generation: generation + 1 });
  expect(run.totals).toMatchObject({ received: EVENTS, processed: EVENTS, dead: 0 });
  const [error] = await simulation.store.listErrors(run.runId);
  expect(error?.message).toMatch(/batches are outstanding, and the queue has been empty for \d+ s/);
  await simulation.stop();
});

/** What another time may have left in the dead-letter queue. */
const OLD_LETTERS = {
  "an older run's": encodeMessage(logged(batchOf([recordEvent(1)], { runId: "before" }))),
  "an older generation's": encodeMessage(logged(batchOf([recordEvent(1)], { runId: "simulated", generation: 0 }))),
  "a finished window's": encodeMessage(logged(batchOf([recordEvent(1)], { runId: "simulated", window: 0 }))),
  "a stranger's": { body: "{}", payload: null },
  "a newer program's": { body: "{}", payload: Uint8Array.of(99, 0) },
};

test.each(
  Object.entries(OLD_LETTERS).flatMap(([whose, letter]) => [
    { whose, letter, home: "AWS", withinMs: 5 * MINUTE },
    { whose, letter, home: "local", withinMs: MINUTE },
  ]),
)("fault 9: a purged queue with $whose letter among the dead: seen as soon as without it, $home", async (given) => {
  const { letter, home, withinMs } = given;
  const simulation = await simulate({
    settings: SETTINGS,
    stream: STREAM,
    ...(home === "local" ? { home: "local" as const } : {}),
  });
  simulation.holdConsumers = true;
  const { queue, clock } = simulation;
  queue.sendRaw(letter);
  const [old] = await queue.receive({ max: 1, waitSeconds: 0 });
  if (old === undefined) throw new Error("no message");
  await queue.deadLetter(old);
  await simulation.pass(2 * MINUTE);
  expect(await drain(simulation, ({ receiptHandle }) => queue.remove(receiptHandle))).toBeGreaterThan(10);
  expect(await queue.figures()).toMatchObject({ ready: 0, inFlight: 0, delayed: 0, deadLetters: 1 });
  const purgedMs = clock.now();
  while ((await simulation.run()).generation === 1 && clock.now() - purgedMs < DAY / 24)
    await simulation.pass(MINUTE / 6);
  expect(clock.now() - purgedMs).toBeLessThanOrEqual(withinMs);
  simulation.holdConsumers = false;
  await simulation.pass(10 * MINUTE);
  expect(await simulation.run()).toMatchObject({
    status: "succeeded",
    totals: { received: EVENTS, processed: EVENTS },
  });
  await simulation.stop();
});

test("fault 9: letters of this generation are dead, however old the others are, and nothing of them is read again", async () => {
  const simulation = await simulate({ settings: SETTINGS, stream: STREAM });
  simulation.holdConsumers = true;
  const { queue } = simulation;
  queue.sendRaw(OLD_LETTERS["an older run's"]);
  await simulation.pass(2 * MINUTE);
  expect(await drain(simulation, (message) => queue.deadLetter(message))).toBeGreaterThan(10);
  simulation.holdConsumers = false;
  await simulation.pass(15 * MINUTE);
  const run = await simulation.run();
  expect(run).toMatchObject({ status: "succeeded", generation: 1, totals: { received: EVENTS } });
  expect(run.totals.processed + run.totals.dead).toBe(EVENTS);
  await simulation.stop();
});

test("issue 14.4: a batch that no consumer receives any more is read again within minutes, whatever else is in the queue", async () => {
  const simulation = await simulate({ settings: SETTINGS, stream: STREAM });
  simulation.holdConsumers = true;
  await simulation.pass(2 * MINUTE);
  // Somebody's consumer hides it for twelve hours, again and again.
  const [kept] = await simulation.queue.receive({ max: 1, waitSeconds: 0, visibilitySeconds: 43_200 });
  if (kept === undefined) throw new Error("no message");
  simulation.holdConsumers = false;
  // What was planned takes two minutes; then 15 minutes for the longest that a message is hidden, three for the lost, and a tick.
  await simulation.pass(22 * MINUTE);
  const run = await simulation.run();
  expect(run).toMatchObject({ status: "succeeded", generation: 2, totals: { received: EVENTS, processed: EVENTS } });
  expect((await simulation.store.listErrors(run.runId))[0]?.message).toMatch(
    /^1 batches are outstanding, and no consumer has received one of them for 1\d{3} s$/,
  );
  await simulation.stop();
}, 60_000);

test("messages that SQS itself gave up on are dead in the ledger, block nothing, and come back with a redrive", async () => {
  const simulation = await simulate({ settings: SETTINGS, stream: STREAM });
  simulation.holdConsumers = true;
  await simulation.pass(2 * MINUTE);
  const moved = await drain(simulation, (message) => simulation.queue.deadLetter(message));
  expect(moved).toBeGreaterThan(10);
  simulation.holdConsumers = false;
  await simulation.pass(10 * MINUTE);
  const dead = await simulation.run();
  expect(dead).toMatchObject({ status: "succeeded", generation: 1, totals: { received: EVENTS } });
  expect(dead.totals.dead).toBe(dead.totals.deadReasons["dead-lettered"]);
  expect(dead.totals.processed + dead.totals.dead).toBe(EVENTS);
  expect(dead.totals.dead).toBeGreaterThan(50);
  await simulation.queue.redrive({ max: 1_000, withinMs: 60_000 });
  await simulation.pass(10 * MINUTE);
  expect((await simulation.run()).totals).toMatchObject({ processed: EVENTS, dead: 0, deadReasons: {} });
  await simulation.stop();
});

test("a window that is read again and packed differently does not confuse the ledger", async () => {
  let crashes = 0;
  const simulation = await simulate({
    settings: SETTINGS,
    stream: STREAM,
    readerCrash: (name) => {
      if (name !== "before-cursor" || crashes === 3) return;
      crashes += 1;
      throw new Error("the reader dies with its window in the queue");
    },
  });
  // Three reads of the first window, each in batches of another size, all of them in the queue at once.
  for (const batchSize of [3, 7, 4]) {
    await simulation.pass(MINUTE);
    const run = await simulation.run();
    const record = { atMs: simulation.clock.now(), by: "tune" as const, changes: {} };
    const { profile, sources, throttle } = run;
    await simulation.store.tune(run.runId, {
      throttle: { ...throttle, batchSize },
      profile,
      sources,
      record,
      nowMs: simulation.clock.now(),
    });
  }
  await simulation.pass(15 * MINUTE);
  expect(crashes).toBe(3);
  const run = await simulation.run();
  expect(run).toMatchObject({ status: "succeeded", totals: { received: EVENTS, processed: EVENTS, dead: 0 } });
  // The strays were applied too, and each event counts once.
  expect(simulation.database.applied.reduce((sum, { events }) => sum + events, 0)).toBeGreaterThan(EVENTS);
  await simulation.stop();
});
