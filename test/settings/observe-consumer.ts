/** What a setting does to how batches are applied: the consumers of a long-lived process, with queue and table in memory. */
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { newRun } from "@firehose-backfill/backfill/new-run";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { BatchCounts } from "@firehose-backfill/core/batch";
import { type Clock, systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import type { FirehoseEvent } from "@firehose-backfill/core/event";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { startLocalConsumer } from "@firehose-backfill/server/local-consumer";
import type { SinkRow } from "@firehose-backfill/sink/rows";
import type { ConsumerSink } from "@firehose-backfill/sink/sink";

export interface ConsumerRun {
  readonly counts: BatchCounts;
  readonly memoryPauses: number;
  /** How often anything else on the event loop came to its turn. */
  readonly otherWork: number;
  readonly durationMs: number;
}

export interface ConsumerWork {
  /** Left out: the real time. */
  readonly clock?: Clock;
  readonly batches: number;
  readonly events: readonly FirehoseEvent[];
  /** It does not go on until all is applied: so long is waited for it. */
  readonly giveUpAfterMs?: number;
  readonly sink?: ConsumerSink;
}

/** Batches that are all due now, unpaced. */
export async function observeConsumer(
  settings: Readonly<Record<string, string>>,
  work: ConsumerWork,
): Promise<ConsumerRun> {
  const { clock = systemClock } = work;
  const store = createMemoryStore();
  const queue = createMemoryQueue({ clock, random: Math.random });
  const config = parseConfig({ BACKFILL_BATCH_DELAY_MS: "0", ...settings });
  const first = await store.createRun(newRun(config, { runId: "run", nowMs: clock.now() }));
  await store.transition("run", ["enqueued"], "running", {});
  await queue.send(
    Array.from({ length: work.batches }, (_, number) => ({
      batch: {
        key: { runId: "run", generation: 1, window: 1, fence: 1, number },
        dueMs: clock.now(),
        paceVersion: 0,
        events: EventLog.of(work.events).slice(),
      },
      delaySeconds: 0,
    })),
  );
  let run: Run = first;
  const counts = { applied: 0, stale: 0, dead: 0 };
  const stop = new AbortController();
  let left = work.batches;
  const startedMs = clock.now();
  const other = countTurns();
  const consumer = startLocalConsumer({
    adapters: { store, queue, [Symbol.asyncDispose]: () => Promise.resolve() },
    sink: work.sink ?? promptSink(),
    clock,
    random: Math.random,
    log: () => {},
    signal: stop.signal,
    currentRun: () => run,
    pollers: 50,
    retire: null,
    onResult: (result) => {
      if (result.kind !== "applied") return;
      counts.applied += result.counts?.applied ?? 0;
      counts.dead += result.counts?.dead ?? 0;
      left -= 1;
      if (left === 0) stop.abort();
    },
  });
  const giveUp = setTimeout(() => stop.abort(), work.giveUpAfterMs ?? 20_000);
  await consumer.loop.done;
  clearTimeout(giveUp);
  const otherWork = other.stop();
  const durationMs = clock.now() - startedMs;
  await consumer[Symbol.asyncDispose]();
  run = (await store.getRun("run")) ?? run;
  return { counts, memoryPauses: run.memoryPauses, otherWork, durationMs };
}

/** Answers within the same turn of the event loop: whoever does not yield lets nobody else in. */
function promptSink(): ConsumerSink {
  return {
    apply: (_batch, rows) => {
      const dead = rows.filter(({ kind }: SinkRow) => kind === "dead").length;
      return Promise.resolve({
        kind: "applied",
        counts: { applied: rows.length - dead, stale: 0, dead },
        durationMs: 0,
      });
    },
    health: () => Promise.resolve({ kind: "healthy" }),
    pool: () => ({ used: 0, size: 1 }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function countTurns(): { stop(): number } {
  let turns = 0;
  let isOver = false;
  const turn = () => {
    if (isOver) return;
    turns += 1;
    setImmediate(turn);
  };
  setImmediate(turn);
  return {
    stop: () => {
      isOver = true;
      return turns;
    },
  };
}
