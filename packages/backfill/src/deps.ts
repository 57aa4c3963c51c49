/** The dependencies of the use cases, as types; a composition root supplies the adapters. */
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";
import type { LedgerStore } from "@firehose-backfill/checkpoint/ledger-store";
import type { NoteStore } from "@firehose-backfill/checkpoint/note-store";
import type { PaceStore } from "@firehose-backfill/checkpoint/pace-store";
import type { ResyncStore } from "@firehose-backfill/checkpoint/resync-store";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import type { Clock } from "@firehose-backfill/core/clock";
import type { Config, OffPeak } from "@firehose-backfill/core/config/settings";
import type { BatchQueue } from "@firehose-backfill/queue/types";
import type { ConsumerSink } from "@firehose-backfill/sink/sink";
import type { Sources } from "@firehose-backfill/source/kit";
import type { EventCounter } from "@firehose-backfill/throttle/event-counter";
import type { LatencySignal } from "@firehose-backfill/throttle/latency-signal";
import type { MemoryGuard } from "@firehose-backfill/throttle/memory-guard";
import type { ServeResyncs } from "./resyncs.ts";

/** What a deployment has fixed: tune, start and off-peak hours may set lower values; higher ones are clamped. */
export interface DeployedLimits {
  readonly maxConcurrent: number;
  readonly maxMemoryMb: number;
}

/** Times that depend on the deployment and are not settings of a run. */
export interface ReaderTiming {
  /** Length of one tick of the schedule; the read-ahead is two of them. */
  readonly tickMs: number;
  /** The longest time of a tick, including its sends. */
  readonly tickBudgetMs: number;
  /** How much of the read-ahead must be free before the reader connects. A long-lived process waits until a tick is free. */
  readonly leastReadAheadMs: number;
  readonly leaseTtlMs: number;
  /** If batches are outstanding and the queue stays empty for this long, they are lost. */
  readonly lostAfterMs: number;
  /** How soon a long-lived process checks again while consumers work on planned batches. */
  readonly lookAgainMs: number;
}

export interface ReaderDeps {
  readonly clock: Clock;
  /** Returns 0 to 1. */
  readonly random: () => number;
  readonly store: CheckpointStore;
  readonly queue: BatchQueue;
  /** The kits of all sources that a run can read, by their kinds. */
  readonly sources: Sources;
  readonly memory: MemoryGuard;
  readonly timing: ReaderTiming;
  /** null: the run's own pace at all hours. */
  readonly offPeak: OffPeak | null;
  /** The deployed limits, which also limit the off-peak pace. null: nothing is fixed (local). */
  readonly limits: DeployedLimits | null;
  /** The deployed settings, which an open run follows. Absent (local): a restart applies them. */
  readonly deployed?: Config;
  /** Left out: requests for resyncs are left alone. */
  readonly resyncs?: ServeResyncs;
  /** The name of this process in the lease. */
  readonly owner: string;
  readonly log: (line: string) => void;
  readonly crashPoint?: CrashPoint;
}

export interface ConsumerDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly store: RunStore & PaceStore & LedgerStore & NoteStore & ResyncStore;
  readonly queue: BatchQueue;
  readonly sink: ConsumerSink;
  readonly memory: MemoryGuard;
  /** What this deployment does above its memory limit: a long-lived process waits until it is below it, a function marks its environment. */
  readonly relieveMemory: (signal: AbortSignal) => Promise<void>;
  readonly latency: LatencySignal;
  /** What this consumer last reported that it waits for, so that the same text is logged once. */
  readonly waitLog: { lastSaid: string | null };
  /** MEMORY_CHECK_INTERVAL. */
  readonly memoryChecks: EventCounter;
  /** Keeps a message hidden while its batch is applied, if the queue's visibility timeout is short; null: it is long enough. */
  readonly renewVisibility: { readonly everyMs: number; readonly seconds: number } | null;
  readonly log: (line: string) => void;
  readonly crashPoint?: CrashPoint;
}

/** Only tests set it: it throws, or kills the process, at a named point. */
export type CrashPoint = (name: CrashPointName) => void | Promise<void>;
export const CRASH_POINTS = [
  "after-reserve",
  /** Between two calls of SendMessageBatch: a part of the window is in the queue. */
  "after-send-n",
  "after-send",
  "before-cursor",
  "after-cursor",
  "after-lock",
  "after-commit",
  "after-ledger",
  "before-delete",
  "mid-advance",
  "after-advance",
] as const;
export type CrashPointName = (typeof CRASH_POINTS)[number];
