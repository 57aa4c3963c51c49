/** Queues that take less than the program would send: what does not fit is dead by reason, and no window is tried for ever. */
import { expect, test } from "vitest";
import { noise } from "@firehose-backfill/testing/queue/batches";
import { simulate, type Simulation } from "./simulate.ts";

const KIB = 1024;
const MINUTE = 60_000;
const SETTINGS = { BACKFILL_BATCH_SIZE: "5", BACKFILL_BATCH_DELAY_MS: "1000" };
const EVENTS = 200;
/** Does not shrink when it is packed. */
const LARGE = noise(300 * KIB);
const LARGE_AT = 120;
const STREAM = {
  commits: EVENTS,
  operations: () => 1,
  record: (index: number) => (index === LARGE_AT ? LARGE : null),
};

async function errorsOf(simulation: Simulation): Promise<readonly string[]> {
  return (await simulation.store.listErrors("simulated")).map(({ message }) => message);
}

test("issue 12.5: a record of 300 KiB on a queue of 256 KiB is dead as too-large, all others are applied, the run says why", async () => {
  const simulation = await simulate({ settings: SETTINGS, stream: STREAM, maxMessageBytes: () => 256 * KIB });
  await simulation.pass(10 * MINUTE);
  const run = await simulation.run();
  expect(run).toMatchObject({
    status: "succeeded",
    generation: 1,
    totals: { received: EVENTS, processed: EVENTS - 1 },
  });
  expect(run.totals.deadReasons).toEqual({ "too-large": 1 });
  expect(await errorsOf(simulation)).toEqual([expect.stringContaining("takes 262144 bytes a message")]);
  expect((await errorsOf(simulation))[0]).toContain("set MaximumMessageSize=1048576");
  await simulation.stop();
});

test("issue 12.5: on a queue of 1 MiB the same record is applied, and nothing is said", async () => {
  const simulation = await simulate({ settings: SETTINGS, stream: STREAM, maxMessageBytes: () => 1024 * KIB });
  await simulation.pass(10 * MINUTE);
  expect(await simulation.run()).toMatchObject({ status: "succeeded", totals: { processed: EVENTS, dead: 0 } });
  expect(await errorsOf(simulation)).toEqual([]);
  await simulation.stop();
});

test("issue 12.5: lowered in the middle of a run, between its reading and a send: the window is packed anew, nothing is lost", async () => {
  let takes = 1024 * KIB;
  const simulation = await simulate({
    settings: SETTINGS,
    stream: STREAM,
    maxMessageBytes: () => takes,
    readerCrash: (point) => {
      // The slots of the window with the large record are reserved, and it is packed for the larger queue.
      if (point === "after-reserve" && simulation.clock.now() >= lowerAtMs) takes = 256 * KIB;
    },
  });
  const lowerAtMs = simulation.clock.now();
  await simulation.pass(15 * MINUTE);
  const run = await simulation.run();
  expect(takes).toBe(256 * KIB);
  expect(run).toMatchObject({ status: "succeeded", totals: { received: EVENTS, processed: EVENTS - 1, dead: 1 } });
  expect(await errorsOf(simulation)).toEqual([expect.stringContaining("takes 262144 bytes a message")]);
  await simulation.stop();
});

test("issue 12.5: a queue that refuses what it says it takes stops the run with the reason; resumed when it is mended, it goes on", async () => {
  let takes = 256 * KIB;
  const simulation = await simulate({ settings: SETTINGS, stream: STREAM, maxMessageBytes: () => takes });
  const { queue } = simulation;
  const says = queue.readLimits.bind(queue);
  queue.readLimits = () => Promise.resolve({ declaredBytes: 1024 * KIB, maxMessageBytes: 1024 * KIB });
  await simulation.pass(10 * MINUTE);
  const stopped = await simulation.run();
  expect(stopped.status).toBe("errored");
  expect(stopped.reason).toContain("the queue refuses what is sent to it");
  expect(await errorsOf(simulation)).toEqual([expect.stringContaining("must be shorter than 262144 bytes")]);
  takes = 1024 * KIB;
  queue.readLimits = says;
  await simulation.store.transition(stopped.runId, ["errored"], "running", { reason: null });
  await simulation.pass(10 * MINUTE);
  expect(await simulation.run()).toMatchObject({ status: "succeeded", totals: { processed: EVENTS, dead: 0 } });
  await simulation.stop();
});

test("issue 12.5: a queue of next to nothing stops the run before it reads", async () => {
  const simulation = await simulate({ settings: SETTINGS, stream: STREAM, maxMessageBytes: () => 16 * KIB });
  await simulation.pass(2 * MINUTE);
  const run = await simulation.run();
  expect(run).toMatchObject({ status: "errored", registered: 0 });
  expect(run.reason).toContain("takes only 16384 bytes a message");
  await simulation.stop();
});
