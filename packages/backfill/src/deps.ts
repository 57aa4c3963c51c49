/** What the use cases are given. Adapters are known by their types alone; a composition root supplies them. */
import type { CheckpointStore } from "@firehose-backfill/checkpoint/types";
import type { Clock } from "@firehose-backfill/core/clock";
import type { FirehoseReaderOptions, FirehoseReader } from "@firehose-backfill/firehose/types";
import type { BatchQueue } from "@firehose-backfill/queue/types";
import type { Sink } from "@firehose-backfill/sink/types";
import type { MemoryGuard } from "@firehose-backfill/throttle/memory-guard";

/** Facts of the place that are not settings of a run. */
export interface Place {
  /** Length of one tick of the schedule; the horizon is two of them. 60,000. */
  readonly tickMs: number;
  /** Longest a tick may read, its sends included. */
  readonly tickBudgetMs: number;
  readonly leaseTtlMs: number;
  /** No message is anywhere while batches are outstanding: a new epoch after this long (on AWS 3 min, locally 30 s). */
  readonly lostAfterMs: number;
  /** A windows that ended by events, bytes or time is followed by the next at once (in the same tick). */
  readonly isLongLived: boolean;
  /** The relay to connect to when the run says `sample`; null when deployed. */
  readonly sampleRelayUrl: string | null;
  readonly userAgent: string;
}

export interface ReaderDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly store: CheckpointStore;
  readonly queue: BatchQueue;
  readonly openReader: (options: FirehoseReaderOptions) => FirehoseReader;
  readonly memory: MemoryGuard;
  readonly place: Place;
  readonly owner: string;
  readonly log: (line: string) => void;
  readonly crashPoint?: CrashPoint;
}

export interface ConsumerDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly store: CheckpointStore;
  readonly queue: BatchQueue;
  readonly sink: Sink;
  readonly memory: MemoryGuard;
  /** Yields to the event loop between batches (BACKFILL_USE_IDLE). */
  readonly idle: () => Promise<void>;
  readonly log: (line: string) => void;
  readonly crashPoint?: CrashPoint;
}

/** Armed by tests alone: throws, or kills the process, at a named point. */
export type CrashPoint = (name: CrashPointName) => void | Promise<void>;
export type CrashPointName =
  | "after-reserve"
  | "after-send"
  | "before-cursor"
  | "after-cursor"
  | "after-lock"
  | "after-commit"
  | "after-ledger"
  | "before-delete"
  | "mid-fold"
  | "after-fold";
