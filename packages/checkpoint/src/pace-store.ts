/**
 * The values that decide how fast events are applied to a database: the throttle, the reserved slots, back-off, and current
 * waits. A write to the pace does not check the run: a reader that has lost its lease can reserve slots, which then stay
 * unused. Two batches never have the same slot.
 */
import type { Pace, SeenSettings } from "./pace.ts";
import type { TuneChange } from "./run-changes.ts";
import type { Run } from "./run.ts";

export interface PaceStore {
  /**
   * Sets new throttle settings for the pace of this run: raises paceVersion, sets plannedDue to now, appends to `tunes`. null: the
   * run is gone or finished, or `paceVersion` is given and is no longer that of its pace.
   */
  tune(runId: string, change: TuneChange): Promise<Run | null>;
  /** The settings that were given at the last check, if the throttle does not change. */
  noteSeen(paceId: string, seen: SeenSettings): Promise<void>;
  /** Moves plannedDue if it is still `expectedMs` and the pace's version is still `paceVersion`. false: read again. */
  reserveSlots(paceId: string, slots: { expectedMs: number; nextMs: number; paceVersion: number }): Promise<boolean>;
  /**
   * A late batch takes a new slot after all others. Returns the slot's due time and the paceVersion that it belongs to.
   * @throws PaceNotFoundError
   */
  takeSlot(
    paceId: string,
    options: { intervalMs: number; nowMs: number },
  ): Promise<{ dueMs: number; paceVersion: number }>;
  /**
   * backOff x 2, up to 16, if it last changed before `notAfterMs`; raises paceVersion, sets plannedDue to now.
   * At 16 it only stores the moment and the reason, so that the minute without trouble begins again, and returns false.
   */
  raiseBackOff(paceId: string, options: { reason: string; notAfterMs: number; nowMs: number }): Promise<boolean>;
  /** backOff / 2 if it last changed before `notAfterMs`. paceVersion does not change. */
  halveBackOff(paceId: string, options: { notAfterMs: number; nowMs: number }): Promise<boolean>;
  /** null: the run no longer waits. */
  setWaiting(paceId: string, waiting: Pace["waiting"]): Promise<void>;
  addMemoryPause(paceId: string, nowMs: number): Promise<void>;
}
