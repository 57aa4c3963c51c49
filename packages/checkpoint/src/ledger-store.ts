/** What became of each batch. */
import type { BatchCounts, BatchKey } from "@firehose-backfill/core/batch";
import type { BatchOutcome, LedgerEntry } from "./ledger.ts";

export interface BatchSlot {
  readonly dueMs: number;
  readonly paceVersion: number;
  /**
   * Given: a part of the batch was applied just now, and the slot is for so many rows that its ranges prove absent. The
   * attempts of before are forgotten.
   */
  readonly removals?: number;
}

export interface LedgerStore {
  getEntry(key: BatchKey): Promise<LedgerEntry | null>;
  /** Notes the slot that a late batch took, also of a dead batch that was redriven. An applied batch has no slot any more. */
  setSlot(key: BatchKey, slot: BatchSlot): Promise<void>;
  /** attempts + 1; returns the entry after it. An entry with an outcome is returned unchanged. */
  beginAttempt(key: BatchKey): Promise<LedgerEntry>;
  /** attempts - 1, not below 0: the attempt ended for a reason that is not the batch. An entry with an outcome stays unchanged. */
  cancelAttempt(key: BatchKey): Promise<void>;
  /** waits + 1, also of a dead batch that was redriven; returns how often it has waited, this time included. */
  addWait(key: BatchKey): Promise<number>;
  /**
   * Writes the outcome unless the entry has one. `redriven`: a dead one becomes applied.
   * Returns the entry as it is stored afterwards.
   */
  finish(
    key: BatchKey,
    outcome: BatchOutcome,
    counts: BatchCounts,
    options: { nowMs: number; redriven: boolean },
  ): Promise<LedgerEntry>;
  /**
   * Makes the entry of a batch of dead events that are tried again: dead, and counted as such by `totals` already.
   * false: there is an entry already.
   */
  enterDead(key: BatchKey, counts: BatchCounts, options: { nowMs: number }): Promise<boolean>;
  /**
   * Brings a redriven batch into `totals`, exactly once however often and by however many it is called:
   * dead - counts of before, processed + counts of after. Does nothing where `correctionPending` is false,
   * for a window that was never counted, and for one that is counted and not swept yet (then `sweep` does it).
   */
  correct(key: BatchKey): Promise<void>;
}
