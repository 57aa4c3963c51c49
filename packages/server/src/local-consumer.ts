/** A consumer of a long-lived process: its sink, its memory guard and its pollers. The server and a child process use the same one. */
import type { MessageResult } from "@firehose-backfill/backfill/message-result";
import type { ConsumerDeps, CrashPoint } from "@firehose-backfill/backfill/deps";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Clock } from "@firehose-backfill/core/clock";
import type { ConsumerSink } from "@firehose-backfill/sink/sink";
import { createEventCounter } from "@firehose-backfill/throttle/event-counter";
import { createLatencySignal } from "@firehose-backfill/throttle/latency-signal";
import { processMemoryGuard } from "@firehose-backfill/throttle/process-memory";
import type { ConsumerAdapters } from "./adapters.ts";
import { type ConsumerLoop, startConsumerLoop } from "./consumer-loop.ts";
import { joinRemovals } from "./join-removals.ts";
import { LOCAL_VISIBILITY } from "./reader-timing.ts";

export interface LocalConsumerOptions {
  readonly adapters: ConsumerAdapters;
  /** The sink. It is closed with the consumer. */
  readonly sink: ConsumerSink;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
  /** Returns the run as it was read last. The consumer uses its throttle settings. */
  readonly currentRun: () => Run | null;
  readonly pollers: number;
  /** Called if memory is above the limit after two pauses, where a parent replaces this process. null: the consumer waits. */
  readonly retire: (() => void) | null;
  readonly onResult: (result: MessageResult) => void;
  /** For tests. */
  readonly crashPoint?: CrashPoint | undefined;
}

export interface LocalConsumer extends AsyncDisposable {
  readonly loop: ConsumerLoop;
  readonly sink: ConsumerSink;
}

const DEFAULT_LIMIT_MB = 512;
const DEFAULT_CHECK_INTERVAL = 100;
/** The pauses take 5 s and 10 s. */
const PAUSES_BEFORE_RETIRING = 2;

export function startLocalConsumer(options: LocalConsumerOptions): LocalConsumer {
  const { adapters, sink, clock, random, log, signal, currentRun, retire } = options;
  const memory = processMemoryGuard(clock, () => currentRun()?.throttle.maxMemoryMb ?? DEFAULT_LIMIT_MB);
  const removals = joinRemovals({ queue: adapters.queue, clock, log });
  const deps: ConsumerDeps = {
    clock,
    random,
    store: adapters.store,
    queue: { ...adapters.queue, remove: (handle) => removals.remove(handle) },
    sink,
    memory,
    relieveMemory: async (stop) => {
      await memory.waitUntilUnder(stop, retire === null ? {} : { mostPauses: PAUSES_BEFORE_RETIRING });
      if (retire !== null && !stop.aborted && memory.isOverLimit()) retire();
    },
    latency: createLatencySignal(),
    waitLog: { lastSaid: null },
    memoryChecks: createEventCounter(() => currentRun()?.throttle.memoryCheckInterval ?? DEFAULT_CHECK_INTERVAL),
    renewVisibility: LOCAL_VISIBILITY,
    log,
    ...(options.crashPoint === undefined ? {} : { crashPoint: options.crashPoint }),
  };
  const loop = startConsumerLoop(deps, {
    signal,
    pollers: options.pollers,
    // If the pool is smaller than max-concurrent, it limits the number of batches that are applied at once.
    limit: () => Math.min(sink.pool().size, currentRun()?.throttle.maxConcurrent ?? 0),
    currentRun,
    onResult: options.onResult,
  });
  return {
    loop,
    sink,
    async [Symbol.asyncDispose]() {
      await loop.done;
      await removals[Symbol.asyncDispose]();
      await sink[Symbol.asyncDispose]();
    },
  };
}
