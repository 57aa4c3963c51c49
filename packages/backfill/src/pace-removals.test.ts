/** Rows that ranges of repositories remove are events: they keep to the pace, and are counted once; the sink is made up. */
import type { Batch } from "@firehose-backfill/core/batch";
import { countedEvents } from "@firehose-backfill/core/proved-range";
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import type { ConsumerSink } from "@firehose-backfill/sink/sink";
import { quietConsumer } from "@firehose-backfill/testing/backfill/consumer";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { rangeEvents } from "@firehose-backfill/testing/queue/batches";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { layOutSlots } from "@firehose-backfill/throttle/slots";
import { describe, expect, test } from "vitest";
import { applyMessage } from "./apply-message.ts";
import type { CrashPoint } from "./deps.ts";
import type { MessageResult } from "./message-result.ts";
import { newRun } from "./new-run.ts";
import { paceOf } from "./pace.ts";

const SIZE = 2;

interface Setting {
  /** Of each batch, and how many rows its ranges prove absent. */
  readonly batches: readonly { readonly events: readonly FirehoseEvent[]; readonly absent: number }[];
  readonly delayMs?: number;
  readonly crashPoint?: CrashPoint;
}

async function setUp({ batches, delayMs = 2000, crashPoint }: Setting) {
  const clock = new VirtualClock();
  const startMs = clock.now();
  const store = createMemoryStore();
  const queue = createMemoryQueue({ clock, random: () => 0.5, encode: true, visibilitySeconds: 60 });
  const settings = { BACKFILL_BATCH_SIZE: String(SIZE), BACKFILL_BATCH_DELAY_MS: String(delayMs) };
  const run = await store.createRun(newRun(parseConfig(settings), { runId: "run", nowMs: startMs }));
  await store.transition(run.runId, ["enqueued"], "running", {});
  const pace = paceOf(run);
  const layout = layOutSlots(
    pace,
    batches.map(({ events }) => countedEvents(events)),
    { plannedDueMs: run.plannedDueMs, nowMs: startMs },
  );
  const slots = { expectedMs: run.plannedDueMs, nextMs: layout.nextMs, paceVersion: run.paceVersion };
  if (delayMs > 0 && !(await store.reserveSlots(run.paceId, slots))) throw new Error("no slots");
  const sent = batches.map(({ events }, number) => ({
    key: { runId: run.runId, generation: 1, window: 1, fence: 1, number },
    dueMs: layout.dueMs[number] ?? 0,
    paceVersion: delayMs > 0 ? run.paceVersion : 0,
    events,
  }));
  const delayOf = (batch: Batch) => Math.max(0, Math.floor((batch.dueMs - startMs) / 1000));
  await queue.send(
    sent.map((batch) => ({
      batch: { ...batch, events: EventLog.of(batch.events).slice() },
      delaySeconds: delayOf(batch),
    })),
  );

  /** What each batch still has to remove, and when how many events were handed over: records once, then rows. */
  const absent = batches.map((batch) => batch.absent);
  const isWritten = new Set<number>();
  const work: { atMs: number; number: number; events: number }[] = [];
  const sink: ConsumerSink = {
    async apply({ number }, rows, { maxRemovals = Infinity, lock }) {
      if (!lock.isOnTime()) return { kind: "late" };
      const left = absent[number] ?? 0;
      const removed = Math.min(left, maxRemovals);
      const records = rows.filter(({ kind }) => kind !== "range").length;
      work.push({ atMs: clock.now() - startMs, number, events: (isWritten.has(number) ? 0 : records) + removed });
      isWritten.add(number);
      absent[number] = left - removed;
      if (left > removed) return { kind: "more", removed, left: left - removed, durationMs: 1 };
      const counts = { applied: records, stale: 0, dead: 0, removed: batches[number]?.absent ?? 0 };
      return { kind: "applied", counts, durationMs: 1 };
    },
    health: async () => ({ kind: "healthy" }),
    pool: () => ({ used: 0, size: 1 }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const consumer = quietConsumer({ clock, store, queue, sink, ...(crashPoint === undefined ? {} : { crashPoint }) });
  const stop = new AbortController();
  const results: MessageResult[] = [];
  /** Two looks a second, until the queue is empty. */
  const consume = async (limitMs = 600_000) => {
    for (let ms = 0; ms < limitMs; ms += 500) {
      for (const message of await queue.receive({ max: 10, waitSeconds: 0 }))
        void applyMessage(consumer, message, { signal: stop.signal }).then((result) => results.push(result));
      await clock.advance(500);
      const { ready, inFlight, delayed } = await queue.figures();
      if (ready + inFlight + delayed === 0) return;
    }
    throw new Error("the queue does not get empty");
  };
  const entryOf = (number: number) => store.getEntry({ runId: run.runId, generation: 1, window: 1, fence: 1, number });
  return { clock, store, queue, run, consume, work, absent, results, entryOf };
}

const records = (rkeys: readonly string[], absent = 0) => ({ events: rangeEvents(rkeys), absent });

/** More than the pace allows in any stretch of 10 s, with one batch of tolerance. */
function isTooFast(work: readonly { readonly atMs: number; readonly events: number }[], delayMs: number): boolean {
  return work.some(({ atMs }) => {
    const events = work
      .filter((it) => it.atMs >= atMs && it.atMs < atMs + 10_000)
      .reduce((sum, it) => sum + it.events, 0);
    return events > SIZE * (10_000 / delayMs) + SIZE;
  });
}

describe("issue 15.3: rows that ranges remove", () => {
  test("take slots of their own, a batch's worth at a time, and hold up nobody who is planned already", async () => {
    const { consume, work, entryOf, absent } = await setUp({
      batches: [records(["a", "b"], 7), records(["c", "d"]), records(["e", "f"]), records(["g", "h"])],
    });
    await consume();
    expect(absent).toEqual([0, 0, 0, 0]);
    expect(work.map(({ atMs, number, events }) => [Math.round(atMs / 1000), number, events])).toEqual([
      [0, 0, 2],
      [2, 1, 2],
      [4, 2, 2],
      [6, 3, 2],
      [8, 0, 2],
      [10, 0, 2],
      [12, 0, 2],
      [14, 0, 1],
    ]);
    expect(isTooFast(work, 2000)).toBe(false);
    expect(await entryOf(0)).toMatchObject({
      outcome: "applied",
      counts: { applied: 2, removed: 7 },
    });
    expect((await entryOf(1))?.counts).toEqual({ applied: 2, stale: 0, dead: 0 });
  });

  test("of an empty range the first is what the range counts for", async () => {
    const { consume, work, entryOf } = await setUp({ batches: [records([], 1), records([], 3), records(["a"])] });
    await consume();
    expect(work.map(({ number, events }) => [number, events])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
      [1, 2],
    ]);
    expect(isTooFast(work, 2000)).toBe(false);
    expect((await entryOf(1))?.counts).toEqual({ applied: 0, stale: 0, dead: 0, removed: 3, emptyRanges: 1 });
  });

  test("many of them are removed in a few deliveries: a queue hands a message out a limited number of times", async () => {
    const { consume, work, results, absent } = await setUp({ batches: [records(["a"], 400)] });
    await consume();
    expect(absent).toEqual([0]);
    expect(isTooFast(work, 2000)).toBe(false);
    expect(work.length).toBeGreaterThan(200);
    expect(results.length).toBeLessThan(60);
  });

  test("without a pace they are removed at once, a batch's worth a transaction", async () => {
    const { consume, work, results } = await setUp({ batches: [records(["a"], 5)], delayMs: 0 });
    await consume();
    expect(work.map(({ events }) => events)).toEqual([3, 2, 1]);
    expect(results).toMatchObject([{ kind: "applied", counts: { removed: 5 } }]);
  });

  test("a slower pace holds from the next batch's worth on", async () => {
    const { consume, work, store, run, clock } = await setUp({ batches: [records(["a", "b"], 12)] });
    await expect(consume(5000)).rejects.toThrow("does not get empty");
    const before = work.length;
    const nowMs = clock.now();
    await store.tune(run.runId, {
      throttle: { ...run.throttle, batchDelayMs: 20_000 },
      profile: run.profile,
      sources: {},
      nowMs,
      record: { atMs: nowMs, by: "tune", changes: {} },
    });
    await consume();
    expect(before).toBeGreaterThan(1);
    const after = work.slice(before);
    expect(after.length).toBeGreaterThan(2);
    const pauses = after.slice(1).map(({ atMs }, index) => atMs - (after[index]?.atMs ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(18_000);
  });

  test("a cancelled run removes no more", async () => {
    const { consume, absent, store, run } = await setUp({ batches: [records(["a", "b"], 100)] });
    await expect(consume(20_000)).rejects.toThrow("does not get empty");
    await store.transition(run.runId, ["running"], "cancelled", {});
    await consume();
    expect(absent[0]).toBeGreaterThan(50);
  });

  test("a consumer that dies after each commit loses nothing, counts nothing twice, and is never too fast", async () => {
    let commits = 0;
    const { consume, work, entryOf, absent } = await setUp({
      batches: [records(["a", "b"], 5), records(["c"])],
      crashPoint: (name) => {
        if (name === "after-commit" && ++commits % 2 === 1) throw new Error("it dies");
      },
    });
    await consume();
    expect(commits).toBeGreaterThan(5);
    expect(absent).toEqual([0, 0]);
    expect(isTooFast(work, 2000)).toBe(false);
    expect(await entryOf(0)).toMatchObject({ outcome: "applied", counts: { applied: 2, removed: 5 } });
  });
});
