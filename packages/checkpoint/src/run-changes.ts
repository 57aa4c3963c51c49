/** How a run may be changed by others than its reader in normal work: by an operator, by the clock, or after lost messages. */
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
  /** The generation that is replaced; the write is refused if the run has another one by now. */
  readonly generationBefore: number;
  /** Where the reader continues: the applied cursor as it was read, or, with `start`, any cursor. null: the start point. */
  readonly cursor: Cursor | null;
  /** Set if the operator chose a start with --from: replaces the start point and what was measured of the stream. */
  readonly start?: StartPoint;
  readonly nowMs: number;
}

export interface TuneChange {
  readonly throttle: ThrottleSettings;
  readonly profile: ProfileName;
  readonly sources: Sources;
  readonly record: TuneRecord;
  readonly nowMs: number;
  /** Absent: unchanged. */
  readonly offPeak?: OffPeakPace | null;
  /** Absent: unchanged. */
  readonly seen?: SeenSettings;
  /** The pace version that the change is based on. Absent: any version. */
  readonly paceVersion?: number;
}
