/** A dead-letter queue that does not take a message: nothing waits for it, nothing is thrown, and the run says why. */
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { encodeMessage } from "@firehose-backfill/queue/message-codec";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { QueueError } from "@firehose-backfill/queue/queue-error";
import { batchOf, logged, recordEvent } from "@firehose-backfill/testing/queue/batches";
import { SinkError } from "@firehose-backfill/sink/sink-error";
import { expect, test } from "vitest";
import { applyMessage } from "./apply-message.ts";
import { newRun } from "./new-run.ts";
import { quietConsumer } from "@firehose-backfill/testing/backfill/consumer";

const { signal } = new AbortController();
const QUARTER_HOUR = 900_000;

class Refused extends Error {
  override readonly name = "InvalidParameterValue";
  readonly $fault = "client";
}

async function setUp(message: Parameters<ReturnType<typeof createMemoryQueue>["sendRaw"]>[0]) {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  await store.createRun(newRun(parseConfig({ BACKFILL_VERIFY: "structure" }), { runId: "run", nowMs: clock.now() }));
  const queue = createMemoryQueue({ clock, random: () => 0.5 });
  queue.deadLetter = () =>
    Promise.reject(new QueueError("SendMessage", new Refused("Message must be shorter than 262144 bytes")));
  const consumer = quietConsumer({ clock, store, queue });
  consumer.sink.apply = () => Promise.reject(new SinkError("nobody knows why", { kind: "attempt" }));
  queue.sendRaw(message);
  const receive = async () => (await queue.receive({ max: 1, waitSeconds: 0 }))[0];
  return { clock, store, consumer, receive };
}

test("issue 12.5: a batch that the dead-letter queue refuses is dead in the ledger, hidden, and the run says why", async () => {
  const batch = batchOf([recordEvent(1)], { runId: "run" });
  const { clock, store, consumer, receive } = await setUp(encodeMessage(logged({ ...batch, dueMs: 0 })));
  for (let tries = 0; tries < 200 && (await store.getEntry(batch.key))?.outcome == null; tries += 1) {
    const message = await receive();
    if (message !== undefined) await applyMessage(consumer, message, { signal });
    await clock.advance(1_000);
  }
  expect(await store.getEntry(batch.key)).toMatchObject({ outcome: "dead" });
  const errors = await store.listErrors("run");
  expect(errors.at(-1)).toMatchObject({ kind: "dead-letter queue", times: 1 });
  expect(errors.at(-1)?.message).toContain("Message must be shorter than 262144 bytes");
  await clock.advance(QUARTER_HOUR - 10_000);
  expect(await receive()).toBeUndefined();
  await clock.advance(20_000);
  expect(await receive()).toBeDefined();
});

test("issue 12.5: a stranger's message that it refuses stays, and fails no invocation", async () => {
  const { clock, consumer, receive } = await setUp({ body: "x", payload: null });
  const message = await receive();
  if (message === undefined) throw new Error("no message");
  expect(await applyMessage(consumer, message, { signal })).toMatchObject({
    kind: "hidden",
    because: expect.stringContaining("the dead-letter queue refuses"),
  });
  await clock.advance(QUARTER_HOUR - 10_000);
  expect(await receive()).toBeUndefined();
});
