import type { EventSlice } from "./cbor/event-slice.ts";
import type { FirehoseEvent } from "./event.ts";

/**
 * The name of a batch in the ledger. The number alone is not enough: a window that is read again after a crash may be packed differently.
 * Every tick has a new fence, so one (generation, window, fence, number) never names two different contents.
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
  /** The pace version in which it was planned; an older one than the run's is treated as late. 0: planned without pacing. */
  readonly paceVersion: number;
  readonly events: readonly FirehoseEvent[];
  /**
   * Set if the batch is a redrive of rows of `dead_events`; one id for each event. Its window is 0, which no reader ever uses, its
   * fence is the moment of the redrive, and its ledger entry says dead until it is applied.
   */
  readonly deadEventIds?: readonly string[];
}

/** A batch before it is sent: its events are encoded in the reader's log, not objects. It is valid as long as that log. */
export type LoggedBatch = Omit<Batch, "events"> & { readonly events: EventSlice };

/** What happened to a batch's events. `applied + stale + dead + emptyRanges` is the number of events that it counted as. */
export interface BatchCounts {
  readonly applied: number;
  /** Events that were sent to the database and were older than its rows. They count as processed. */
  readonly stale: number;
  readonly dead: number;
  /** `dead` by reason. Absent: the reasons are not known. */
  readonly deadReasons?: Readonly<Record<string, number>>;
  /** Rows that ranges of repositories prove absent and that were there: counted as received and processed beside the events. */
  readonly removed?: number;
  /** Ranges without a record. Each counted as one event in the batch and on the pace, and as none anywhere else. */
  readonly emptyRanges?: number;
}
