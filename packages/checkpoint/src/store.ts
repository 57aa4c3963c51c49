/**
 * The store that keeps a run. It is implemented twice, on DynamoDB (dynamo-store.ts) and in memory for simulations
 * (memory-store.ts); one suite of tests holds for both.
 *
 * Every write says under which condition it is true. No clock comparison decides correctness: the fence does.
 */
import type { BatchOutcome, LedgerEntry } from "./ledger.ts";
import type { ConsumerReport, Gap, RunError } from "./notes.ts";
import type { NewEpoch, RunPatch, TuneChange } from "./run-changes.ts";
import type { NewRun, Run, TickReport } from "./run.ts";
import type { CursorMove, Fold, Lease, OpenWindow, WindowItem } from "./window.ts";
import type { BatchCounts, BatchKey } from "@firehose-backfill/core/batch";
import type { ScopeSettings } from "@firehose-backfill/core/config/settings";
import type { Position } from "@firehose-backfill/core/position";
import type { RunStatus } from "@firehose-backfill/core/run-state";

export interface CheckpointStore {
  /**
   * The run that `start` would be refused for, or the last one. null: no run has ever existed.
   * `openOnly`: null as well when the last one is finished, and then it costs one Get.
   */
  currentRun(options?: { readonly openOnly?: boolean }): Promise<Run | null>;
  /** One consistent read. null: no such run. */
  getRun(runId: string): Promise<Run | null>;
  /** The full filters of a run. */
  getScope(runId: string): Promise<ScopeSettings | null>;
  /** @throws RunInProgressError while a run is not finished. */
  createRun(run: NewRun): Promise<Run>;

  /**
   * Changes status if the stored one is in `from` and the table of transitions has the step (or it is the same status).
   * Returns the run after it, or null where the condition failed. `succeeded` sweeps to the end first, so that a
   * later redrive finds its batch in the ledger.
   */
  transition(runId: string, from: readonly RunStatus[], to: RunStatus, patch: RunPatch): Promise<Run | null>;
  /**
   * New throttle settings: raises paceEpoch, sets plannedDue to now, appends to `tunes`. null: the run is gone or
   * finished, or its pace is not the one of `paceEpoch` any more, where that is given.
   */
  tune(runId: string, change: TuneChange): Promise<Run | null>;
  /**
   * epoch + 1, cursors to `cursor`, unfolded windows dropped with their counts (folded = registered: numbers are never
   * used twice), paceEpoch + 1, plannedDue = now; target, recent times, broken frames, waiting and queueEmptySinceMs
   * cleared. null: the epoch is not the run's any more, the run is finished, or `cursor` is not where the applied cursor
   * stands and no `start` was given: a reader that folded in between has counted what lies between the two, and it would
   * be counted again.
   */
  newEpoch(runId: string, change: NewEpoch): Promise<Run | null>;

  /** null: somebody else holds it. Every success raises the fence. */
  acquireLease(
    runId: string,
    options: { owner: string; ttlMs: number; nowMs: number },
  ): Promise<{ lease: Lease; run: Run } | null>;
  /** false: lost. */
  renewLease(lease: Lease, options: { ttlMs: number; nowMs: number }): Promise<boolean>;
  releaseLease(
    lease: Lease,
    report: { tick: TickReport; nextTickAtMs: number | null; queueEmptySinceMs: number | null },
  ): Promise<void>;

  /** Moves plannedDue if it is still `expectedMs` and the fence and paceEpoch are ours. false: read again. */
  reservePlaces(lease: Lease, places: { expectedMs: number; nextMs: number; paceEpoch: number }): Promise<boolean>;
  /** A late batch takes a new place at the end of the line. Returns the place's due time and the paceEpoch it belongs to. */
  takePlace(
    runId: string,
    options: { intervalMs: number; nowMs: number },
  ): Promise<{ dueMs: number; paceEpoch: number }>;

  /** Refused (false) if an item of a higher fence stands there. */
  putWindow(lease: Lease, window: WindowItem): Promise<boolean>;
  /**
   * Registers the window; a window means that the host was seen. Already there: true. false: the fence, the epoch or
   * the number moved on. @throws BrokenStateError where the cursor would go back within its epoch
   */
  moveCursor(lease: Lease, move: CursorMove): Promise<boolean>;
  /**
   * What the reader learned of the stream without a window to register: where the run ends, that the host speaks, a
   * broken frame. false: lost. With `epoch` also when that is not the run's any more; always give it with a target,
   * which means nothing in another epoch.
   */
  noteStream(
    lease: Lease,
    note: {
      readonly epoch?: number;
      readonly target?: Position;
      readonly hostSeen?: true;
      readonly brokenFrames?: number;
    },
  ): Promise<boolean>;
  /** The registered, unfolded windows in order, at most `limit`. */
  openWindows(run: Run, limit: number): Promise<readonly OpenWindow[]>;
  fold(lease: Lease, fold: Fold): Promise<Run | null>;
  /**
   * Removes items of folded windows, but keeps dead entries (30 days), and corrects those that were redriven before
   * their window was folded. Safe to repeat; bounded work per call. true: nothing is left to do.
   */
  sweep(run: Run): Promise<boolean>;

  getEntry(key: BatchKey): Promise<LedgerEntry | null>;
  /** Notes the place a late batch took; also a dead one's that was redriven. An applied batch has no place any more. */
  setPlace(key: BatchKey, place: { dueMs: number; paceEpoch: number }): Promise<void>;
  /** attempts + 1; returns the entry after it. An entry with an outcome is returned unchanged. */
  beginAttempt(key: BatchKey): Promise<LedgerEntry>;
  /** attempts - 1, not below 0: what was begun came to nothing for no fault of the batch. An entry with an outcome stays. */
  cancelAttempt(key: BatchKey): Promise<void>;
  /** waits + 1, also of a dead batch that was redriven; returns how often it has waited, this time included. */
  addWait(key: BatchKey): Promise<number>;
  /**
   * Writes the outcome unless one stands there. `redriven`: a dead one becomes applied.
   * Returns the entry that stands there afterwards.
   */
  finish(
    key: BatchKey,
    outcome: BatchOutcome,
    counts: BatchCounts,
    options: { nowMs: number; redriven: boolean },
  ): Promise<LedgerEntry>;
  /**
   * Makes the entry of a batch of dead events that are tried again: dead, and counted as such by `totals` already.
   * false: something stands there.
   */
  enterDead(key: BatchKey, counts: BatchCounts, options: { nowMs: number }): Promise<boolean>;
  /**
   * Brings a redriven batch into `totals`, exactly once however often and by however many it is called:
   * dead - counts of before, processed + counts of after. Does nothing where `correctionPending` is false,
   * for a window that was never folded, and for one whose fold is not swept yet (then `sweep` does it).
   */
  correct(key: BatchKey): Promise<void>;

  /**
   * backOff x 2, up to 16, if it last changed before `notAfterMs`; raises paceEpoch, sets plannedDue to now.
   * At 16 it notes the moment and the reason alone, so that the quiet minute begins anew, and returns false.
   */
  raiseBackOff(runId: string, options: { reason: string; notAfterMs: number; nowMs: number }): Promise<boolean>;
  /** backOff / 2 if it last changed before `notAfterMs`. Leaves paceEpoch alone. */
  halveBackOff(runId: string, options: { notAfterMs: number; nowMs: number }): Promise<boolean>;
  /** null: nothing is waited for any more. */
  setWaiting(runId: string, waiting: Run["waiting"]): Promise<void>;
  addMemoryPause(runId: string, nowMs: number): Promise<void>;

  addGap(runId: string, gap: Gap): Promise<void>;
  listGaps(runId: string): Promise<readonly Gap[]>;
  /** Keeps the last 20. One that has a kind takes the place of the one before it of its kind, and counts the times. */
  addError(runId: string, error: RunError): Promise<void>;
  /** By their time; those of one moment in the order in which they came. */
  listErrors(runId: string): Promise<readonly RunError[]>;
  reportConsumer(runId: string, report: ConsumerReport): Promise<void>;
  listConsumers(runId: string): Promise<readonly ConsumerReport[]>;
  /** The course of the run, in the words of who draws it, who also bounds it; replaces what was there. */
  putHistory(runId: string, history: string): Promise<void>;
  /** null: none was ever put there. */
  getHistory(runId: string): Promise<string | null>;
}
