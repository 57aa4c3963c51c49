/** A redriven batch of a run that is over, and a database that is not that run's: somebody waits for it, and is told why. */
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { SinkError } from "@firehose-backfill/sink/sink-error";
import { quietConsumer } from "@firehose-backfill/testing/backfill/consumer";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { batchOf, logged, recordEvent } from "@firehose-backfill/testing/queue/batches";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { encodeMessage } from "@firehose-backfill/queue/message-codec";
import { expect, test } from "vitest";
import { applyMessage } from "./apply-message.ts";
import { newRun } from "./new-run.ts";

const { signal } = new AbortController();
const OTHER = "DATABASE_URL is db:5432/other, and run run writes to db:5432/mine. Nothing was written";

test("fault 14: a redriven batch of a finished run meets another database: the log and the run's errors say why, once", async () => {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  await store.createRun(newRun(parseConfig({ BACKFILL_VERIFY: "structure" }), { runId: "run", nowMs: clock.now() }));
  await store.transition("run", ["enqueued"], "running", {});
  const counts = { applied: 0, stale: 0, dead: 1, deadReasons: { "dead-lettered": 1 } };
  const batch = batchOf([recordEvent(1)], { runId: "run" });
  await store.finish(batch.key, "dead", counts, { nowMs: clock.now(), redriven: false });
  await store.transition("run", ["running"], "succeeded", { finishedAtMs: clock.now() });
  const queue = createMemoryQueue({ clock, random: () => 0.5 });
  const lines: string[] = [];
  const consumer = quietConsumer({ clock, store, queue, log: (line) => lines.push(line) });
  consumer.sink.apply = () => Promise.reject(new SinkError(OTHER, "broken"));
  queue.sendRaw(encodeMessage(logged({ ...batch, dueMs: 0 })));

  let tries = 0;
  for (let second = 0; second < 300 && tries < 2; second += 1) {
    const [message] = await queue.receive({ max: 1, waitSeconds: 0 });
    if (message !== undefined && (await applyMessage(consumer, message, { signal })).because.includes(OTHER))
      tries += 1;
    await clock.advance(1_000);
  }
  expect(tries).toBe(2);
  const said = `Run run is over, and a redriven batch of it cannot be applied; it is tried again: SinkError: ${OTHER}`;
  expect(lines.filter((line) => line.includes(OTHER))).toEqual([`[BACKFILL] ${said}`]);
  expect(await store.listErrors("run")).toMatchObject([{ source: "consumer", message: said, times: 2 }]);
  expect((await store.getRun("run"))?.status).toBe("succeeded");
});

test("issue 16.1: what a redriven batch lacks is requested for its own database, although the pace is that of a run of another one", async () => {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  const begin = (runId: string, settings: Readonly<Record<string, string>>) =>
    store.createRun({
      ...newRun(parseConfig({ BACKFILL_VERIFY: "chain", ...settings }), { runId, nowMs: clock.now() }),
      database: { id: `of-${runId}`, name: runId },
    });
  const { paceId } = await begin("run", {});
  await store.transition("run", ["enqueued"], "running", {});
  const counts = { applied: 0, stale: 0, dead: 1, deadReasons: { "dead-lettered": 1 } };
  const batch = batchOf([recordEvent(1)], { runId: "run" });
  await store.finish(batch.key, "dead", counts, { nowMs: clock.now(), redriven: false });
  await store.transition("run", ["running"], "succeeded", { finishedAtMs: clock.now() });
  await begin("other", { BACKFILL_DIDS: "did:plc:other" });
  const queue = createMemoryQueue({ clock, random: () => 0.5 });
  const consumer = quietConsumer({ clock, store, queue });
  consumer.sink.apply = async (_batch, _rows, { onChain }) => {
    await onChain?.({ opened: [{ did: "did:plc:a", rev: "r", reason: "chain" }], closed: [] });
    return { kind: "applied", counts: { applied: 1, stale: 0, dead: 0 }, durationMs: 1 };
  };
  queue.sendRaw(encodeMessage(logged({ ...batch, dueMs: 0 })));
  let isApplied = false;
  for (let second = 0; second < 300 && !isApplied; second += 1) {
    const [message] = await queue.receive({ max: 1, waitSeconds: 0 });
    if (message !== undefined) isApplied = (await applyMessage(consumer, message, { signal })).kind === "applied";
    await clock.advance(1_000);
  }
  expect(isApplied).toBe(true);
  expect((await store.listResyncs(paceId, 10)).first).toMatchObject([{ did: "did:plc:a", runId: "run" }]);
});
