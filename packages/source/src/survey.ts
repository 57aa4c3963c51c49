/** What a look at a source before a run shows: where the run would begin and end in it, and samples in between. */
import type { Cursor } from "./cursor.ts";

/** A cursor whose time is known. */
export type TimedCursor = Cursor & { readonly timeMs: number };

/** A look at one place: how many events there are, how many of them pass the filters, and how large they are. */
export interface Sample {
  readonly first: TimedCursor;
  readonly last: TimedCursor;
  /** Everything up to the next place was seen. */
  readonly isWhole: boolean;
  readonly frames: number;
  readonly bytes: number;
  /** As a run counts them: skipped and dead ones included. */
  readonly events: number;
  /** Those that pass the filters. */
  readonly matching: number;
  /** Rows that the matching record operations would leave: one for each record, however often it is written. */
  readonly rows: number;
  /** DAG-CBOR bytes of the matching records. */
  readonly recordBytes: number;
}

/** From one look at the source to the next. */
export interface Stretch {
  readonly from: TimedCursor;
  readonly to: TimedCursor;
  /** At its beginning. null: that look brought nothing; its neighbours speak for it. */
  readonly sample: Sample | null;
}

export interface Survey {
  readonly host: string;
  readonly atMs: number;
  /** Where the operator wanted to begin. null: at the oldest, or now. */
  readonly wantedFromMs: number | null;
  /** In order, without holes; empty where there is nothing to read. */
  readonly stretches: readonly Stretch[];
  /** The source keeps nothing as old as what was asked for. */
  readonly isClamped: boolean;
  /** The end lies in the future: what is still to come was not counted. */
  readonly endsLater: boolean;
  /** null: not seen, or nothing falls off (a recording). */
  readonly oldestKept: TimedCursor | null;
  /** Connections made. */
  readonly looks: number;
}

/** The source cannot be asked, or shows nothing. `message` says why. */
export class SurveyError extends Error {
  override readonly name = "SurveyError";
  isRetryable(): boolean {
    return true;
  }
}
