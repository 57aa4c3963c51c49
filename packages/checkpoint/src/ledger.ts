/** The ledger's entry of one batch. Consumers write it. */
import type { BatchCounts, BatchKey } from "@firehose-backfill/core/batch";

export type BatchOutcome = "applied" | "dead";

/** What is known of one batch. Consumers write it; the reader writes it for batches that it finds in the dead-letter queue. */
export interface LedgerEntry {
  readonly key: BatchKey;
  /** How often a consumer began to apply the batch. Receiving the message or hiding it does not count. */
  readonly attempts: number;
  /** The slot that a late batch took. It replaces the slot in the message. null: the batch has the slot of its message. */
  readonly dueMs: number | null;
  readonly paceVersion: number | null;
  /** Above 0: the batch is applied except for rows that its ranges prove absent, and its slot was reserved to remove this many of them. */
  readonly removals: number;
  /** How often the message was hidden because the consumer had to wait. The next wait takes 30 s x 2^waits. */
  readonly waits: number;
  readonly outcome: BatchOutcome | null;
  readonly counts: BatchCounts | null;
  /** When the outcome was written. */
  readonly finishedAtMs: number | null;
  /** A redrive changed the outcome from dead to applied, and `totals` does not show it yet. Call `correct` before the message is deleted. */
  readonly correctionPending: boolean;
}
