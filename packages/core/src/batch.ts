import type { EventSlice } from "./cbor/event-log.ts";
import type { FirehoseEvent } from "./event.ts";

/**
 * The name of a batch in the ledger. The number alone would not do: a window that is read again after a crash
 * may be packed differently, and every tick has a new fence, so (generation, window, fence, number) never names two contents.
 */
export interface BatchKey {
  readonly runId: string;
  readonly generation: number;
  /** Windows of a run are numbered from 1, across generations. */
  readonly window: number;
  /** Fencing token of the lease under which the window was read. */
  readonly fence: number;
  /** Number within the window, from 0. */
  readonly number: number;
}

/** Up to BACKFILL_BATCH_SIZE events: one SQS message, one transaction, one slot on the pace. */
export interface Batch {
  readonly key: BatchKey;
  /** The time of its slot, Unix time in milliseconds. */
  readonly dueMs: number;
  /** The pace version it was planned in; an older one than the run's is treated as late. 0 when it was planned without pacing. */
  readonly paceVersion: number;
  readonly events: readonly FirehoseEvent[];
  /**
   * Given: the batch is a redrive of rows of `dead_events`, one id an event. Its window is 0, which no reader ever
   * names, its fence the moment of the redrive, and its ledger entry says dead until it is applied.
   */
  readonly deadEventIds?: readonly string[];
}

/** A batch on its way out: its events are a reader's, not made into objects. Good for as long as their log is. */
export type LoggedBatch = Omit<Batch, "events"> & { readonly events: EventSlice };

/** What became of a batch's events. `applied + stale + dead + emptyRanges` is for how many events it counted. */
export interface BatchCounts {
  readonly applied: number;
  /** Handed to the database and found to be older than what it holds. Counts as processed. */
  readonly stale: number;
  readonly dead: number;
  /** `dead` by reason. Left out: nobody said. */
  readonly deadReasons?: Readonly<Record<string, number>>;
  /** Rows that ranges of repositories prove absent and that were there: counted as received and processed beside the events. */
  readonly removed?: number;
  /** Ranges without a record. Each counted as one event in the batch and on the pace, and as none anywhere else. */
  readonly emptyRanges?: number;
}
