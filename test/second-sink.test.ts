/**
 * Another sink than Postgres: it is one object of the port's type, and the use cases run on it unchanged. It has no row
 * versions in its answer, so it says null for `stale`.
 */
import { applyMessage } from "@firehose-backfill/backfill/apply-message";
import { newRun } from "@firehose-backfill/backfill/new-run";
import { prepareSink } from "@firehose-backfill/backfill/prepare-sink";
import { quietConsumer } from "@firehose-backfill/testing/backfill/consumer";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { recordEvent } from "@firehose-backfill/testing/queue/batches";
import type { SinkKit } from "@firehose-backfill/sink/kit";
import type { RecordRow } from "@firehose-backfill/sink/rows";
import { SinkError } from "@firehose-backfill/sink/sink-error";
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { expect, test } from "vitest";

/** The whole of a sink that keeps records in a Map. */
function openMemorySink(table: Map<string, RecordRow>): SinkKit {
  const nothing = { [Symbol.asyncDispose]: () => Promise.resolve() };
  let isMade = false;
  return {
    checkAddress: () => {},
    openSink: () => ({
      async apply(_batch, rows, { lock }) {
        if (!isMade) throw new SinkError("the table is not there", "broken");
        if (!lock.isOnTime()) return { kind: "late" };
        const records = rows.filter((row) => row.kind === "record");
        for (const row of records) {
          const key = `${row.did}/${row.collection}/${row.rkey}`;
          if ((table.get(key)?.seq ?? -1) < (row.seq ?? 0)) table.set(key, row);
        }
        const counts = { applied: records.length, stale: null, dead: rows.length - records.length };
        return { kind: "applied", counts, durationMs: 1 };
      },
      health: () => Promise.resolve({ kind: "healthy" }),
      pool: () => ({ used: 0, size: 1 }),
      ...nothing,
    }),
    openDeadEvents: () => ({
      claim: () => Promise.resolve([]),
      countUntriable: () => Promise.resolve(0),
      list: () => Promise.resolve([]),
      countByReason: () => Promise.resolve({}),
      discard: () => Promise.resolve({}),
      failedRepositories: () => Promise.resolve([]),
      handOver: () => Promise.resolve(),
      ...nothing,
    }),
    openHandleList: () => ({ next: async () => [] }),
    openCopy: () => ({
      health: async () => ({ kind: "healthy" }),
      repos: async () => [],
      countRepos: async () => ({ count: 0, isExact: true }),
      sampleRepos: async () => [],
      look: (_did, use) => use({ rev: null, async *entries() {} }),
      ...nothing,
    }),
    tidying: { removeOldTombstones: () => Promise.resolve(0) },
    verify: () => Promise.resolve({ version: "1", shown: "memory" }),
    identity: () => Promise.resolve({ id: isMade ? "memory" : null, name: "memory" }),
    examine: () =>
      Promise.resolve({
        nowMs: 0,
        schemaVersion: 0,
        neededVersion: 1,
        mismatch: null,
        isReadOnly: false,
        freeConnections: 1,
        problem: null,
      }),
    async migrate() {
      isMade = true;
      return { from: 0, to: 1 };
    },
    checkThrottleQuery: () => Promise.resolve(),
    whyNoAnswer: () => Promise.resolve(null),
  };
}

test("issue 13.4: a second sink: a stream in order, and again backwards, leaves the same table; the counts add up", async () => {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  const queue = createMemoryQueue({ clock, random: () => 0.5, encode: true });
  const settings = { BACKFILL_BATCH_DELAY_MS: "0", BACKFILL_VERIFY: "structure" };
  const run = await store.createRun(newRun(parseConfig(settings), { runId: "run", nowMs: clock.now() }));
  await store.transition(run.runId, ["enqueued"], "running", {});
  const table = new Map<string, RecordRow>();
  const kit = openMemorySink(table);
  await prepareSink(kit, { throttleQuery: null, goesOn: [run] });
  const sink = kit.openSink({ clock, random: () => 0.5, throttleQuery: null, poolSize: 1 });
  const consumer = quietConsumer({ clock, store, queue, sink });

  const numbers = Array.from({ length: 12 }, (_, n) => n + 1);
  const replay = async (order: readonly number[], window: number) => {
    for (const [number, n] of order.entries()) {
      const key = { runId: run.runId, generation: run.generation, window, fence: 1, number };
      // Every third operation is on the same record.
      const event = recordEvent(n, { rkey: `key${n % 3}`, action: "delete", cid: null, record: null });
      const events = EventLog.of([event]).slice(0, 1);
      await queue.send([{ batch: { key, dueMs: clock.now(), paceVersion: run.paceVersion, events }, delaySeconds: 0 }]);
      for (const message of await queue.receive({ max: 10, waitSeconds: 0 })) {
        const result = await applyMessage(consumer, message, { signal: new AbortController().signal });
        expect(result).toMatchObject({ kind: "applied", counts: { applied: 1, stale: 0, dead: 0 } });
      }
      expect(await store.getEntry(key)).toMatchObject({
        outcome: "applied",
        counts: { applied: 1, stale: 0, dead: 0 },
      });
    }
    return [...table.values()]
      .map(({ rkey, seq }) => [rkey, seq])
      .toSorted(([a = ""], [b = ""]) => String(a).localeCompare(String(b)));
  };
  const first = await replay(numbers, 1);
  expect(first).toHaveLength(3);
  expect(await replay(numbers.toReversed(), 2)).toEqual(first);
});
