/** The consumers' side: what is known of one batch. */
import type { BatchCounts, BatchKey } from "@firehose-backfill/core/batch";

export type BatchOutcome = "applied" | "dead";

/** What a consumer knows of one batch. Written by consumers (and by the reader for batches found in the DLQ). */
export interface LedgerEntry {
  readonly key: BatchKey;
  /** Times a consumer began to apply it. Receives and hidings do not count. */
  readonly attempts: number;
  /** The slot that it took after it was planned, if any; it replaces the message's. */
  readonly dueMs: number | null;
  readonly paceVersion: number | null;
  /** Rows that ranges of it prove absent and that its slot was taken for: the rest of the batch is applied. 0: none. */
  readonly removals: number;
  /** Times it was hidden because something was waited for; decides 30 s x 2^n. */
  readonly waits: number;
  readonly outcome: BatchOutcome | null;
  readonly counts: BatchCounts | null;
  /** When the outcome was written. */
  readonly finishedAtMs: number | null;
  /** An outcome that was dead, became applied by a redrive, and is not in `totals` yet: call `correct` before the message goes. */
  readonly correctionPending: boolean;
}
