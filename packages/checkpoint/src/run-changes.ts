/** What may be changed of a run from outside its reader: by an operator, by the clock, or by a reader that finds messages lost. */
import type { OffPeakPace, SeenSettings, Sources, TuneRecord } from "./pace.ts";
import type { ProfileName, ThrottleSettings } from "@firehose-backfill/core/config/settings";
import type { Cursor } from "@firehose-backfill/source/cursor";
import type { StartPoint } from "@firehose-backfill/source/points";

/** Fields that control may set together with a transition. */
export interface RunPatch {
  readonly reason?: string | null;
  readonly pausedNow?: boolean;
  readonly finishedAtMs?: number | null;
  readonly pausedMs?: number;
  readonly pausedSinceMs?: number | null;
  readonly target?: Cursor | null;
}

export interface NewGeneration {
  /** The generation that is replaced; the write is refused if it is not the run's any more. */
  readonly generationBefore: number;
  /** From where the reader goes on: the applied cursor as it was read, or, with `start`, any cursor. null: the start point. */
  readonly cursor: Cursor | null;
  /** Given when the operator chose a start with --from: replaces the start point and what was measured of the stream. */
  readonly start?: StartPoint;
  readonly nowMs: number;
}

export interface TuneChange {
  readonly throttle: ThrottleSettings;
  readonly profile: ProfileName;
  readonly sources: Sources;
  readonly record: TuneRecord;
  readonly nowMs: number;
  /** Left out: stays what it is. */
  readonly offPeak?: OffPeakPace | null;
  /** Left out: stays what it is. */
  readonly seen?: SeenSettings;
  /** Of the pace that the change was made from. Left out: whatever it is by now. */
  readonly paceVersion?: number;
}
