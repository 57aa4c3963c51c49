/** What decides how fast a run is applied: its throttle, the moments that are given away, back-off, and what is waited for. */
import type { TuneChange } from "./run-changes.ts";
import type { Run } from "./run.ts";
import type { Lease } from "./window.ts";

export interface PaceStore {
  /**
   * New throttle settings: raises paceEpoch, sets plannedDue to now, appends to `tunes`. null: the run is gone or
   * finished, or its pace is not the one of `paceEpoch` any more, where that is given.
   */
  tune(runId: string, change: TuneChange): Promise<Run | null>;
  /** Moves plannedDue if it is still `expectedMs` and the fence and paceEpoch are ours. false: read again. */
  reservePlaces(lease: Lease, places: { expectedMs: number; nextMs: number; paceEpoch: number }): Promise<boolean>;
  /** A late batch takes a new place at the end of the line. Returns the place's due time and the paceEpoch it belongs to. */
  takePlace(
    runId: string,
    options: { intervalMs: number; nowMs: number },
  ): Promise<{ dueMs: number; paceEpoch: number }>;
  /**
   * backOff x 2, up to 16, if it last changed before `notAfterMs`; raises paceEpoch, sets plannedDue to now.
   * At 16 it notes the moment and the reason alone, so that the quiet minute begins anew, and returns false.
   */
  raiseBackOff(runId: string, options: { reason: string; notAfterMs: number; nowMs: number }): Promise<boolean>;
  /** backOff / 2 if it last changed before `notAfterMs`. Leaves paceEpoch alone. */
  halveBackOff(runId: string, options: { notAfterMs: number; nowMs: number }): Promise<boolean>;
  /** null: nothing is waited for any more. A finished run waits for nothing: it is left as it is. */
  setWaiting(runId: string, waiting: Run["waiting"]): Promise<void>;
}
