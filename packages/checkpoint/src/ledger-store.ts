/** The store of the ledger: for each batch its attempts, its slot and its outcome. */
import type { BatchCounts, BatchKey } from "@firehose-backfill/core/batch";
import type { BatchOutcome, LedgerEntry } from "./ledger.ts";

export interface BatchSlot {
  readonly dueMs: number;
  readonly paceVersion: number;
  /**
   * If it is given, a part of the batch has just been applied, and the slot is reserved to remove this many rows that its
   * ranges prove absent. The attempts are then counted from 0 again.
   */
  readonly removals?: number;
}

export interface LedgerStore {
  getEntry(key: BatchKey): Promise<LedgerEntry | null>;
  /** Stores the slot that a late batch took, also for a dead batch that was redriven. For an applied batch it does nothing. */
  setSlot(key: BatchKey, slot: BatchSlot): Promise<void>;
  /** Adds 1 to `attempts` and returns the changed entry. An entry with an outcome is returned unchanged. */
  beginAttempt(key: BatchKey): Promise<LedgerEntry>;
  /**
   * Subtracts 1 from `attempts`, but not below 0, because the attempt ended for a reason that is not in the batch. An entry
   * with an outcome is not changed.
   */
  cancelAttempt(key: BatchKey): Promise<void>;
  /** Adds 1 to `waits`, also for a dead batch that was redriven, and returns the new number. */
  addWait(key: BatchKey): Promise<number>;
  /** Writes the outcome unless the entry has one. With `redriven`, a dead batch may become applied. Returns the entry as it is stored afterwards. */
  finish(
    key: BatchKey,
    outcome: BatchOutcome,
    counts: BatchCounts,
    options: { nowMs: number; redriven: boolean },
  ): Promise<LedgerEntry>;
  /**
   * Creates the entry of a batch that contains dead events to be tried again. The entry is dead, and `totals` already counts
   * its events as dead. Returns false if there is an entry already.
   */
  enterDead(key: BatchKey, counts: BatchCounts, options: { nowMs: number }): Promise<boolean>;
  /**
   * Corrects `totals` for a redriven batch: the old counts are subtracted from `dead`, the new ones are added to `processed`.
   * This happens exactly once, even if several processes call it several times. It does nothing if `correctionPending` is
   * false, if the window was never counted, or if it is counted and not swept yet (then `sweep` corrects it).
   */
  correct(key: BatchKey): Promise<void>;
}
