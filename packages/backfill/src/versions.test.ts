/** A consumer that a roll-back has left behind: what is newer than it reads, it hides and leaves to a newer one. */
import { NewerItemError } from "@firehose-backfill/checkpoint/errors";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { encodeMessage as encodeCbor } from "@firehose-backfill/core/cbor/encode";
import { encodeMessage, MESSAGE_VERSION } from "@firehose-backfill/queue/message-codec";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { batchOf, logged, recordEvent } from "@firehose-backfill/testing/queue/batches";
import { expect, test } from "vitest";
import { applyMessage } from "./apply-message.ts";
import { quietConsumer } from "@firehose-backfill/testing/backfill/consumer";

const WITHIN_THE_HOUR = 301_000;
const { signal } = new AbortController();

test("a message of a newer version is hidden, no attempt counted, and comes back", async () => {
  const clock = new VirtualClock();
  const queue = createMemoryQueue({ clock, random: () => 0.5 });
  const consumer = quietConsumer({ clock, queue, store: createMemoryStore() });
  queue.sendRaw({ body: "{}", payload: Uint8Array.of(MESSAGE_VERSION + 1, 0, 1) });
  const [message] = await queue.receive({ max: 1, waitSeconds: 0 });
  if (message === undefined) throw new Error("no message");
  const { kind, because } = await applyMessage(consumer, message, { signal });
  expect([kind, because]).toEqual(["hidden", `message of version ${MESSAGE_VERSION + 1}, newer than this consumer`]);
  expect(await queue.receive({ max: 1, waitSeconds: 0 })).toEqual([]);
  await clock.advance(WITHIN_THE_HOUR);
  expect(await queue.receive({ max: 1, waitSeconds: 0 })).toHaveLength(1);
});

test("issue 12.3: so is a message of a known version with a kind of event that only a newer program knows", async () => {
  const clock = new VirtualClock();
  const queue = createMemoryQueue({ clock, random: () => 0.5 });
  const consumer = quietConsumer({ clock, queue, store: createMemoryStore() });
  const batch = encodeCbor(["run", 1, 1, 1, 0, clock.now(), 1, [[8, 1, 1, "did:plc:a", "what a newer one knows"]]]);
  queue.sendRaw({ body: "{}", payload: Buffer.concat([Buffer.from([1, 0]), batch]) });
  const [message] = await queue.receive({ max: 1, waitSeconds: 0 });
  if (message === undefined) throw new Error("no message");
  const { kind, because } = await applyMessage(consumer, message, { signal });
  expect([kind, because]).toEqual(["hidden", "message that only a newer consumer reads: event is of kind 8"]);
  expect(await queue.receive({ max: 1, waitSeconds: 0 })).toEqual([]);
  await clock.advance(WITHIN_THE_HOUR);
  expect(await queue.receive({ max: 1, waitSeconds: 0 })).toHaveLength(1);
  expect((await queue.figures()).deadLetters).toBe(0);
});

test("so is a batch whose run is of a newer version; nothing of it is applied", async () => {
  const clock = new VirtualClock();
  const queue = createMemoryQueue({ clock, random: () => 0.5 });
  const newer = new NewerItemError("item run#1 run", 2);
  const store = createMemoryStore({
    beforeCall: () => {
      throw newer;
    },
  });
  const consumer = quietConsumer({ clock, queue, store });
  queue.sendRaw(encodeMessage(logged(batchOf([recordEvent(1)]))));
  const [message] = await queue.receive({ max: 1, waitSeconds: 0 });
  if (message === undefined) throw new Error("no message");
  expect(await applyMessage(consumer, message, { signal })).toMatchObject({
    kind: "hidden",
    because: expect.stringContaining(newer.message),
  });
  await clock.advance(290_000);
  expect(await queue.receive({ max: 1, waitSeconds: 0 })).toEqual([]);
  await clock.advance(WITHIN_THE_HOUR);
  expect(await queue.receive({ max: 1, waitSeconds: 0 })).toHaveLength(1);
});
