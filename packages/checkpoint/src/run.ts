/** The stored state of a run, as values: how it was started, how far it is, who has the lease, and its pace. */
import type { ProfileName, ScopeSettings, ThrottleSettings } from "@firehose-backfill/core/config/settings";
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import type { RunStatus } from "@firehose-backfill/core/run-state";
import type { Cursor } from "@firehose-backfill/source/cursor";
import type { RunSource } from "@firehose-backfill/source/kit";
import type { EndPoint, StartPoint } from "@firehose-backfill/source/points";
import type { SourceProgress, SourceState } from "@firehose-backfill/source/window";
import type { Pace, SeenSettings, Sources } from "./pace.ts";

/** Totals of all windows up to `appliedWindow`. The snapshot adds those that are registered after it. */
export interface RunTotals {
  readonly received: number;
  readonly processed: number;
  readonly stale: number;
  readonly dead: number;
  /** `dead` by reason; events without a reason are left out. */
  readonly deadReasons: Readonly<Record<string, number>>;
  /** By reason: `before-start`, `collection`, `did`, ... */
  readonly skipped: Readonly<Record<string, number>>;
}

/** What the reader's last tick did. */
export interface TickReport {
  readonly atMs: number;
  readonly durationMs: number;
  /** Why its last window ended, or why it did not read. */
  readonly endedBecause: string;
  /** Set while the relay cannot be reached or ticks fail: since when this has been so without interruption. */
  readonly failingSinceMs?: number;
}

/** A time in which none of the outstanding batches made progress. */
export interface Quiet {
  readonly sinceMs: number;
  /** The ledger's entries of these batches, as a short text. If the text changes, the time begins again. */
  readonly ledger: string;
}

/** A run as callers read it: the run item joined with the item of its pace. */
export interface Run extends RunItem, Pace {
  /** Where each setting comes from: those of the run's own scope, and those of its pace. */
  readonly sources: Sources;
}

/** The run item. It stays below 4 KB, however long the run is. Lists of filters are in a separate item (`scope`). */
export interface RunItem {
  readonly runId: string;
  /** The run's name, or null. No two open runs have the same name. */
  readonly name: string | null;
  /** The pace that its batches use. It does not change if the run is bound to a database later. */
  readonly paceId: string;
  readonly generation: number;
  readonly status: RunStatus;
  /** Why it is in this state, for a person: `host is silent`, `waiting: database`, ... */
  readonly reason: string | null;
  /** Set while `paused` came from `pause --now`: planned messages are hidden, and resume starts a new generation. */
  readonly pausedNow: boolean;

  /** What it reads. For a relay, `host` is host:port of RELAY_URL in lower case, or `sample`. */
  readonly source: RunSource;
  /** The only database to which its events are applied. null: not known yet; the first batch stores it. */
  readonly database: DatabaseIdentity | null;
  /** Where each setting of its scope comes from. */
  readonly sources: Sources;

  readonly start: StartPoint;
  readonly end: EndPoint;
  readonly createdAtMs: number;
  readonly finishedAtMs: number | null;
  /** `pausedMs` is the total time spent paused; `pausedSinceMs` is the beginning of the current pause, or null. */
  readonly pausedMs: number;
  readonly pausedSinceMs: number | null;

  /** First position seen in the run; null until a frame has come. */
  readonly startPosition: Cursor | null;
  /** Everything up to here is stored in the queue. null: nothing has been read yet, and the reader begins at the start point. */
  readonly readerCursor: Cursor | null;
  /** Everything up to here is applied or dead. */
  readonly appliedCursor: Cursor | null;
  /** Where the run ends; null until that is known. */
  readonly target: Cursor | null;
  /** The source's own state, which only the source reads. null: none yet. */
  readonly sourceState: SourceState | null;
  /** The cursor was set to another position after the source wrote its state. */
  readonly sourceMoved: boolean;
  /** The progress that the last window reported. null: this source reports none, or nothing has been read yet. */
  readonly progress: SourceProgress | null;
  /**
   * The oldest event time that the source still had when the run began. If it is measured later, the time since the beginning
   * is subtracted. null: not known, or the source removes nothing.
   */
  readonly keptSinceMs: number | null;

  /** Number of the last window whose cursor move is durable. */
  readonly registered: number;
  /** Number of the last window whose results are in `totals`. */
  readonly appliedWindow: number;
  readonly totals: RunTotals;
  /** When the last batch in `totals` was applied or dead-lettered; null: there is none. */
  readonly lastFinishedAtMs: number | null;

  readonly lease: { readonly owner: string; readonly expiresAtMs: number } | null;
  /** Rises each time that somebody takes the lease. Writes with an older fence are refused. */
  readonly fence: number;
  readonly lastTick: TickReport | null;
  /**
   * Since when every check has found the queue empty although batches are outstanding. Dead letters are not counted. null: the
   * last check found messages, or nothing is outstanding.
   */
  readonly queueEmptySinceMs: number | null;
  /** Since when every check of the ledger has found the same batches outstanding, overdue and unchanged. null: the last check did not. */
  readonly quiet: Quiet | null;
  readonly nextTickAtMs: number | null;
}

/** What a caller gives to create a run. The store adds the rest. */
export interface NewRun {
  readonly runId: string;
  /** Left out: none. */
  readonly name?: string | null;
  /** Source, scope and requested range as a short text. Two open runs never have the same text. */
  readonly about: string;
  readonly source: RunSource;
  /** Left out: the first start or batch binds the run. */
  readonly database?: DatabaseIdentity;
  readonly profile: ProfileName;
  readonly throttle: ThrottleSettings;
  readonly scope: ScopeSettings;
  readonly sources: Sources;
  readonly seen?: SeenSettings;
  readonly start: StartPoint;
  readonly end: EndPoint;
  readonly createdAtMs: number;
  readonly status?: RunStatus;
}

/** createRun throws it if an open run has the same `about`. */
export interface RunInProgress {
  readonly name: "RunInProgressError";
  readonly runId: string;
}

/** More than these cannot be open at once; the run that serves requests for resyncs is not counted. */
export const MAX_OPEN_RUNS = 20;

/** The name of the run that reads repositories anew for which there are requests. Nobody else may give it. */
export const RESYNC_RUN = "resync";

/** Not begun by a person: where a command names no run, it is not meant, unless it is the only one. */
export function isResyncRun({ name }: Pick<Run, "name">): boolean {
  return name === RESYNC_RUN;
}
