/** A consumer without problems: memory is low, the database is healthy; a test replaces the parts that matter. */
import type { ConsumerSink } from "@firehose-backfill/sink/sink";
import { createEventCounter } from "@firehose-backfill/throttle/event-counter";
import { createLatencySignal } from "@firehose-backfill/throttle/latency-signal";
import type { MemoryGuard } from "@firehose-backfill/throttle/memory-guard";
import type { ConsumerDeps } from "@firehose-backfill/backfill/deps";

const CALM: MemoryGuard = {
  usedMb: () => 1,
  limitMb: () => 512,
  isOverLimit: () => false,
  waitUntilUnder: () => Promise.resolve(0),
};

const UNUSED: ConsumerSink = {
  apply: () => Promise.reject(new Error("nothing is to be applied")),
  health: async () => ({ kind: "healthy" }),
  pool: () => ({ used: 0, size: 1 }),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

export function quietConsumer(
  given: Pick<ConsumerDeps, "clock" | "store" | "queue"> & Partial<ConsumerDeps>,
): ConsumerDeps {
  return {
    random: () => 0.5,
    sink: UNUSED,
    memory: CALM,
    relieveMemory: () => Promise.resolve(),
    latency: createLatencySignal(),
    waitLog: { lastSaid: null },
    memoryChecks: createEventCounter(() => 1000),
    renewVisibility: null,
    log: () => {},
    ...given,
  };
}
