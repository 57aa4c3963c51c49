/**
 * A whole backfill on a virtual clock: the real use cases, the in-memory queue and table, a made-up firehose and database.
 * The schedule and the event source mapping are AWS's: a tick a minute, as many invocations at once as are allowed.
 */
import { applyMessage } from "@firehose-backfill/backfill/apply-message";
import type { MessageResult } from "@firehose-backfill/backfill/message-result";
import type { ConsumerDeps, CrashPoint, ReaderTiming, ReaderDeps } from "@firehose-backfill/backfill/deps";
import { guardMemory } from "@firehose-backfill/backfill/guard-memory";
import { newRun } from "@firehose-backfill/backfill/new-run";
import { runTick } from "@firehose-backfill/backfill/run-tick";
import { createMemoryStore, type MemoryStoreOptions } from "@firehose-backfill/testing/checkpoint/memory-store";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";
import type { Clock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { createMemoryQueue, type MemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import type { Sources } from "@firehose-backfill/source/kit";
import { createEventCounter } from "@firehose-backfill/throttle/event-counter";
import { localReaderTiming } from "@firehose-backfill/server/reader-timing";
import { startReaderLoop } from "@firehose-backfill/server/reader-loop";
import { createLatencySignal } from "@firehose-backfill/throttle/latency-signal";
import { createMemoryGuard, type MemoryGuard } from "@firehose-backfill/throttle/memory-guard";
import { type SimulatedDatabase, simulatedDatabase } from "./database.ts";
import { MODEL, modelKit, type StreamShape } from "./stream.ts";

export interface SimulationOptions {
  /** As in the environment. */
  readonly settings: Readonly<Record<string, string>>;
  readonly stream?: Partial<StreamShape>;
  /** Streams that runs beside the first one read, by the kind that they name. */
  readonly others?: Readonly<Record<string, Partial<StreamShape> & { readonly isLasting?: boolean }>>;
  /** Real sources that runs beside the first one read, by the kind that they name. */
  readonly kits?: (clock: Clock) => Sources;
  readonly order?: "oldest-first" | "random";
  readonly latencyMs?: number;
  readonly seed?: number;
  /** Length of a tick. 60,000. */
  readonly tickMs?: number;
  /** Left out: AWS's schedule. Else the reader loop of a long-lived process, on a relay or on the bundled sample. */
  readonly home?: "local" | "sample";
  /** Added to the clock of consumer `index`. */
  readonly skewMs?: (index: number) => number;
  readonly repeatProbability?: number;
  /** What reader and consumers say. */
  readonly log?: (line: string) => void;
  /** What the queue takes in one message. */
  readonly maxMessageBytes?: () => number;
  readonly store?: MemoryStoreOptions;
  readonly readerCrash?: CrashPoint;
  /** What each consumer holds, against its run's BACKFILL_MAX_MEMORY_MB. Left out: little. */
  readonly rssMb?: (nowMs: number) => number;
}

export interface Simulation {
  readonly clock: VirtualClock;
  readonly store: CheckpointStore;
  readonly queue: MemoryQueue;
  readonly database: SimulatedDatabase;
  readonly results: readonly MessageResult[];
  /** Sum of all invocations' times, and how many there were. */
  /** Most often that one message was received. */
  readonly mostReceives: () => number;
  readonly billed: () => { readonly ms: number; readonly invocations: number };
  readonly startMs: number;
  run(runId?: string): Promise<Run>;
  /** Begins a run beside those that are open, on the other stream of this kind. Its id is the kind. */
  begin(kind: string): Promise<Run>;
  /** Lets `ms` pass. */
  pass(ms: number): Promise<void>;
  /** What the page does after each control event. On AWS nobody can. */
  poke(): void;
  /** No tick is made while it is true. */
  holdReader: boolean;
  /** No message is taken while it is true. */
  holdConsumers: boolean;
  stop(): Promise<void>;
}

const FAR_APART_MS = 500;
const INVOCATION_OVERHEAD_MS = 2;

export async function simulate(options: SimulationOptions): Promise<Simulation> {
  const clock = new VirtualClock();
  const startMs = clock.now();
  const random = seeded(options.seed ?? 1);
  const store = createMemoryStore(options.store ?? {});
  const queue = createMemoryQueue({
    clock,
    random,
    order: options.order ?? "oldest-first",
    visibilitySeconds: 180,
    repeatProbability: options.repeatProbability ?? 0,
    ...(options.maxMessageBytes === undefined ? {} : { encode: true, maxMessageBytes: options.maxMessageBytes }),
  });
  const database = simulatedDatabase({ clock, latencyMs: options.latencyMs ?? 5 });
  const config = parseConfig(options.settings);
  const tickMs = options.tickMs ?? 60_000;
  const like: StreamShape = {
    commits: Number.POSITIVE_INFINITY,
    operations: (index) => 1 + (index % 3),
    startTimeMs: startMs - 86_400_000,
    stepMs: 100,
    commitsPerSecond: Number.POSITIVE_INFINITY,
    matching: 1,
  };
  const stream: StreamShape = { ...like, ...options.stream };
  const end = { kind: "time", timeMs: Number.MAX_SAFE_INTEGER } as const;
  const created = await store.createRun({
    ...newRun(config, { runId: "simulated", nowMs: startMs, end }),
    source: MODEL,
  });

  const timing: ReaderTiming =
    options.home === undefined
      ? {
          tickMs,
          tickBudgetMs: 50_000,
          leastReadAheadMs: 0,
          leaseTtlMs: 150_000,
          lostAfterMs: 180_000,
          lookAgainMs: tickMs,
        }
      : localReaderTiming({ isSample: options.home === "sample" });
  const readerDeps: ReaderDeps = {
    clock,
    random,
    store,
    queue,
    sources: {
      model: modelKit(stream, clock),
      ...options.kits?.(clock),
      ...Object.fromEntries(
        Object.entries(options.others ?? {}).map(([kind, { isLasting, ...shape }]) => [
          kind,
          modelKit({ ...like, ...shape }, clock, isLasting),
        ]),
      ),
    },
    memory: CALM,
    timing,
    offPeak: config.settings.offPeak,
    limits: null,
    owner: "simulated",
    log: options.log ?? (() => {}),
    ...(options.readerCrash === undefined ? {} : { crashPoint: options.readerCrash }),
  };

  const stop = new AbortController();
  const state = { holdReader: false, holdConsumers: false, billedMs: 0, invocations: 0, mostReceives: 0 };
  const results: MessageResult[] = [];

  const schedule = async () => {
    while (!stop.signal.aborted) {
      const startedMs = clock.now();
      if (!state.holdReader) {
        // A tick that dies is EventBridge's business: the next one comes a minute later.
        await runTick(readerDeps, { signal: stop.signal, firstRuns: null }).catch(() => undefined);
      }
      await clock.sleep(Math.max(1, startedMs + tickMs - clock.now()), stop.signal);
    }
  };

  const memory =
    options.rssMb === undefined ? CALM : simulatedMemory(clock, created.throttle.maxMemoryMb, options.rssMb);

  const invoke = async (consumer: ConsumerDeps) => {
    while (!stop.signal.aborted) {
      if (state.holdConsumers) {
        await clock.sleep(FAR_APART_MS, stop.signal);
        continue;
      }
      if (memory !== CALM) await guardMemory(consumer, await store.getRun("simulated"), stop.signal);
      const [message] = await queue.receive({ max: 1, waitSeconds: 20 });
      if (message === undefined) continue;
      if (memory.isOverLimit()) {
        await queue.hide(message.receiptHandle, 1);
        continue;
      }
      state.mostReceives = Math.max(state.mostReceives, message.receiveCount);
      const startedMs = clock.now();
      await clock.sleep(INVOCATION_OVERHEAD_MS);
      results.push(await applyMessage(consumer, message, { signal: stop.signal }));
      state.billedMs += clock.now() - startedMs;
      state.invocations += 1;
    }
  };

  const consumers = Array.from({ length: created.throttle.maxConcurrent }, (_, index) =>
    invoke({
      clock: skewed(clock, options.skewMs?.(index) ?? 0),
      random,
      store,
      queue,
      sink: database,
      memory,
      relieveMemory: async (signal) => void (await memory.waitUntilUnder(signal)),
      latency: createLatencySignal(),
      waitLog: { lastSaid: null },
      memoryChecks: createEventCounter(() => 100),
      renewVisibility: null,
      log: options.log ?? (() => {}),
    }),
  );
  const local =
    options.home === undefined ? null : startReaderLoop(readerDeps, { signal: stop.signal, onTick: () => {} });
  const scheduled = local?.done ?? schedule();

  return {
    clock,
    store,
    queue,
    database,
    results,
    startMs,
    mostReceives: () => state.mostReceives,
    billed: () => ({ ms: state.billedMs, invocations: state.invocations }),
    begin: (kind) =>
      store.createRun({
        ...newRun(config, { runId: kind, nowMs: clock.now(), start: { kind: "oldest" }, end, name: kind }),
        source: { kind, host: kind },
        about: kind,
      }),
    async run(runId = "simulated") {
      const run = await store.getRun(runId);
      if (run === null) throw new Error("the run is gone");
      return run;
    },
    pass: (ms) => clock.advance(ms),
    poke: () => local?.poke(),
    get holdReader() {
      return state.holdReader;
    },
    set holdReader(hold) {
      state.holdReader = hold;
    },
    get holdConsumers() {
      return state.holdConsumers;
    },
    set holdConsumers(hold) {
      state.holdConsumers = hold;
    },
    async stop() {
      stop.abort();
      await clock.advance(120_000);
      await Promise.all([scheduled, ...consumers]);
    },
  };
}

/** mulberry32: small, seeded, good enough to shuffle messages. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function skewed(clock: Clock, ms: number): Clock {
  return { now: () => clock.now() + ms, sleep: (duration, signal) => clock.sleep(duration, signal) };
}

function simulatedMemory(clock: Clock, limitMb: number, rssMb: (nowMs: number) => number): MemoryGuard {
  return createMemoryGuard({
    clock,
    limitMb: () => limitMb,
    sample: () => ({ rssBytes: rssMb(clock.now()) * 1024 * 1024, heapUsedBytes: 0, externalBytes: 0 }),
    collect: null,
  });
}

export const CALM: MemoryGuard = {
  usedMb: () => 100,
  limitMb: () => 512,
  isOverLimit: () => false,
  waitUntilUnder: () => Promise.resolve(0),
};
