/** The result of a survey before a run: where the run would begin and end in the source, and samples in between. */
import type { Cursor } from "./cursor.ts";

/** A cursor whose time is known. */
export type TimedCursor = Cursor & { readonly timeMs: number };

/** One sample: how many events there are, how many of them pass the filters, and how large they are. */
export interface Sample {
  readonly first: TimedCursor;
  readonly last: TimedCursor;
  /** Everything up to the next sample was read. */
  readonly isWhole: boolean;
  readonly frames: number;
  readonly bytes: number;
  /** Counted as in a run, with skipped and dead events. */
  readonly events: number;
  /** Events that pass the filters. */
  readonly matching: number;
  /** Rows that the matching record operations would leave: one for each record, however often it is written. */
  readonly rows: number;
  /** DAG-CBOR bytes of the matching records. */
  readonly recordBytes: number;
}

/** From one sample to the next. */
export interface Stretch {
  readonly from: TimedCursor;
  readonly to: TimedCursor;
  /** The sample at its beginning. null: it had no events; the neighbouring samples are used instead. */
  readonly sample: Sample | null;
}

/** One host of repositories, as a run would ask it. */
export interface SurveyedHost {
  readonly host: string;
  readonly repositories: number;
  readonly requests: number;
}

/** Of repositories. A frame of its stretches is a repository. */
export interface ReposSurvey {
  readonly known: number;
  /** false: the list goes on, and `known` is what was counted in the time. */
  readonly isCounted: boolean;
  /** Looked into, and those of them that could not be read. */
  readonly sampled: number;
  readonly unreadable: number;
  /** Requests in all. */
  readonly requests: number;
  /** The ones with the most requests; more are not named. */
  readonly hosts: readonly SurveyedHost[];
  /** BACKFILL_HOST_RATE. */
  readonly requestsPerSecond: number;
}

export interface Survey {
  readonly host: string;
  readonly atMs: number;
  /** Where the operator wants to begin. null: at the oldest event, or now. */
  readonly wantedFromMs: number | null;
  /** In order, without holes; empty if there is nothing to read. */
  readonly stretches: readonly Stretch[];
  /** The source keeps nothing as old as the requested start. */
  readonly isClamped: boolean;
  /** The end is in the future: events that are still to come were not counted. */
  readonly endsLater: boolean;
  /** null: not known, or the source drops nothing (a recording). */
  readonly oldestKept: TimedCursor | null;
  /** How many connections were made. */
  readonly looks: number;
  /** Left out: it is a stream's. */
  readonly repos?: ReposSurvey;
}

/** The source cannot be read, or has nothing. `message` says why. */
export class SurveyError extends Error {
  override readonly name = "SurveyError";
  isRetryable(): boolean {
    return true;
  }
}
