/** A run without a pace: its batches wait for consumers, not for a slot, and their entries in the ledger are not read before they are applied. */
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { encodeMessage } from "@firehose-backfill/queue/message-codec";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { batchOf, logged, recordEvent } from "@firehose-backfill/testing/queue/batches";
import { expect, test } from "vitest";
import { applyMessage } from "./apply-message.ts";
import { deadLettered } from "./failure.ts";
import { newRun } from "./new-run.ts";
import { quietConsumer } from "@firehose-backfill/testing/backfill/consumer";

const { signal } = new AbortController();
const COUNTS = { applied: 1, stale: 0, dead: 0 };

async function setUp(batchDelayMs: number) {
  const clock = new VirtualClock();
  const calls: string[] = [];
  const store = createMemoryStore({ beforeCall: (name) => void calls.push(name) });
  const config = parseConfig({ BACKFILL_VERIFY: "structure", BACKFILL_BATCH_DELAY_MS: String(batchDelayMs) });
  await store.createRun(newRun(config, { runId: "run", nowMs: clock.now() }));
  await store.getScope("run");
  const queue = createMemoryQueue({ clock, random: () => 0.5 });
  const consumer = quietConsumer({ clock, store, queue });
  consumer.sink.apply = async () => ({ kind: "applied", counts: COUNTS, durationMs: 1 });
  // It was due a minute ago.
  const batch = { ...batchOf([recordEvent(1)], { runId: "run" }), dueMs: clock.now() - 60_000, paceVersion: 0 };
  const deliver = async () => {
    queue.sendRaw(encodeMessage(logged(batch)));
    const [message] = await queue.receive({ max: 1, waitSeconds: 0 });
    if (message === undefined) throw new Error("no message");
    calls.length = 0;
    return applyMessage(consumer, message, { signal });
  };
  return { clock, store, calls, batch, deliver };
}

test("issue 19.3: without a pace a batch that has waited long costs one read and one write", async () => {
  const { store, calls, batch, deliver } = await setUp(0);
  expect(await deliver()).toMatchObject({ kind: "applied" });
  expect(calls).toEqual(["getMany", "update"]);
  expect(await store.getEntry(batch.key)).toMatchObject({ outcome: "applied", counts: COUNTS });
});

test("issue 19.3: a copy of a batch that is applied changes no result", async () => {
  const { store, batch, deliver } = await setUp(0);
  const before = { applied: 0, stale: 1, dead: 0 };
  await store.finish(batch.key, "applied", before, { nowMs: 1, redriven: false });
  expect(await deliver()).toMatchObject({ kind: "applied" });
  expect(await store.getEntry(batch.key)).toMatchObject({ outcome: "applied", counts: before, finishedAtMs: 1 });
});

test.each([0, 2_000])(
  "issue 19.3: a batch that is redriven before its window is finished becomes applied, at a delay of %i ms",
  async (batchDelayMs) => {
    const { clock, store, batch, deliver } = await setUp(batchDelayMs);
    await store.finish(batch.key, "dead", deadLettered(1), { nowMs: clock.now(), redriven: false });
    let result = await deliver();
    // At a pace it first takes a new slot.
    for (let tries = 0; result.kind === "hidden" && tries < 5; tries += 1) {
      await clock.advance(2_000);
      result = await deliver();
    }
    expect(result).toMatchObject({ kind: "applied" });
    expect(await store.getEntry(batch.key)).toMatchObject({ outcome: "applied", counts: COUNTS });
  },
);
