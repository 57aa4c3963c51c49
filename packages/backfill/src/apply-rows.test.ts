import { parseConfig } from "@firehose-backfill/core/config/parse";
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { ApplyOptions, ConsumerSink } from "@firehose-backfill/sink/sink";
import { quietConsumer } from "@firehose-backfill/testing/backfill/consumer";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { rangeEvents } from "@firehose-backfill/testing/queue/batches";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { expect, test } from "vitest";
import { applyMessage } from "./apply-message.ts";
import { newRun } from "./new-run.ts";

test.each([
  ["", []],
  ["app.bsky.feed.post,app.bsky.graph.*", ["app.bsky.feed.post", "app.bsky.graph.*"]],
])(
  "issue 16.2: the sink is told which collections the run writes (BACKFILL_COLLECTIONS=%s)",
  async (given, expected) => {
    const clock = new VirtualClock();
    const store = createMemoryStore();
    const queue = createMemoryQueue({ clock, random: () => 0.5, encode: true, visibilitySeconds: 60 });
    const settings = { BACKFILL_BATCH_DELAY_MS: "0", BACKFILL_COLLECTIONS: given };
    const run = await store.createRun(newRun(parseConfig(settings), { runId: "run", nowMs: clock.now() }));
    await store.transition(run.runId, ["enqueued"], "running", {});
    const key = { runId: run.runId, generation: 1, window: 1, fence: 1, number: 0 };
    const events = EventLog.of(rangeEvents(["a"])).slice();
    await queue.send([{ batch: { key, dueMs: 0, paceVersion: 0, events }, delaySeconds: 0 }]);
    const told: ApplyOptions["collections"][] = [];
    const sink: ConsumerSink = {
      apply(_key, _rows, { collections }) {
        told.push(collections);
        return Promise.resolve({ kind: "applied", counts: { applied: 1, stale: 0, dead: 0 }, durationMs: 1 });
      },
      health: () => Promise.resolve({ kind: "healthy" }),
      pool: () => ({ used: 0, size: 1 }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    const { signal } = new AbortController();
    for (const message of await queue.receive({ max: 1, waitSeconds: 0 }))
      await applyMessage(quietConsumer({ clock, store, queue, sink }), message, { signal });
    expect(told).toEqual([expected]);
  },
);
