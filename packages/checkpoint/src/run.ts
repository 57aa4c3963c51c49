/** The durable state of a run, as values: what it was started with, how far it is, whose lease it is, and its pace. */
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

/** The last thing the reader did. */
export interface TickReport {
  readonly atMs: number;
  readonly durationMs: number;
  /** Why its last window ended, or why it did not read. */
  readonly endedBecause: string;
  /** Since when, without a break, the relay has not been reached or ticks have failed. Left out: they do not. */
  readonly failingSinceMs?: number;
}

/** A stretch of time in which nothing became of the batches that are outstanding. */
export interface Quiet {
  readonly sinceMs: number;
  /** What the ledger says of them, as a short text: another one begins another stretch. */
  readonly ledger: string;
}

/** A run as it is read: its own item, joined with the item of the pace that it names. */
export interface Run extends RunItem, Pace {
  /** Of the settings of its scope, which are its own, and of those of its pace. */
  readonly sources: Sources;
}

/** The run item: under 4 KB, whatever the length of the run. Lists of filters live in an item of their own (`scope`). */
export interface RunItem {
  readonly runId: string;
  /** What people call it; null: it has none. No two open runs have the same. */
  readonly name: string | null;
  /** The pace that its batches keep to. It stays the same when the run is bound to a database later. */
  readonly paceId: string;
  readonly generation: number;
  readonly status: RunStatus;
  /** Why it is in this state, for a person: `host is silent`, `waiting: database`, ... */
  readonly reason: string | null;
  /** Set while `paused` came from `pause --now`: planned messages are hidden, and resume starts a new generation. */
  readonly pausedNow: boolean;

  /** What it reads. For a relay, `host` is host:port of RELAY_URL in lower case, or `sample`. */
  readonly source: RunSource;
  /** Where its events are applied, and nowhere else. null: not known yet; the first batch binds it. */
  readonly database: DatabaseIdentity | null;
  /** Of the settings of its scope. */
  readonly sources: Sources;

  readonly start: StartPoint;
  readonly end: EndPoint;
  readonly createdAtMs: number;
  readonly finishedAtMs: number | null;
  /** Total time spent paused, and since when it is paused now. */
  readonly pausedMs: number;
  readonly pausedSinceMs: number | null;

  /** First position seen in the run; null until a frame has come. */
  readonly startPosition: Cursor | null;
  /** Everything up to it is durably in the queue. null: nothing read yet (connect from the start point). */
  readonly readerCursor: Cursor | null;
  /** Everything up to it is applied or dead. */
  readonly appliedCursor: Cursor | null;
  /** Set once the run knows where it ends. */
  readonly target: Cursor | null;
  /** What the source remembers. Nobody else reads it. null: nothing yet. */
  readonly sourceState: SourceState | null;
  /** The cursor has been set elsewhere since the source wrote its state. */
  readonly sourceMoved: boolean;
  /** As the last window said it; null: the source does not count so, or nothing is read yet. */
  readonly progress: SourceProgress | null;
  /** Oldest moment that the source kept when the run began, by event time: what is measured later is moved back by the time since. null: it is not known, or nothing falls off. */
  readonly keptSinceMs: number | null;

  /** Number of the last window whose cursor move is durable. */
  readonly registered: number;
  /** Number of the last window whose results are in `totals`. */
  readonly appliedWindow: number;
  readonly totals: RunTotals;
  /** When the last of the batches in `totals` was applied or dead-lettered; null: none was. */
  readonly lastFinishedAtMs: number | null;

  readonly lease: { readonly owner: string; readonly expiresAtMs: number } | null;
  /** Rises with every lease. A write under an older fence is refused. */
  readonly fence: number;
  readonly lastTick: TickReport | null;
  /** Since when every look found the queue empty although batches are outstanding; null: the last look found messages, or nothing is outstanding. Dead letters do not count. */
  readonly queueEmptySinceMs: number | null;
  /** Since when every look found the same batches outstanding, overdue and untouched, by the run's own ledger; null: the last look did not. */
  readonly quiet: Quiet | null;
  readonly nextTickAtMs: number | null;
}

/** What a new run is made from; the store fills in the rest. */
export interface NewRun {
  readonly runId: string;
  /** Left out: none. */
  readonly name?: string | null;
  /** Source, scope and the range that was asked for, as a short text. Of two open runs these are never the same. */
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

/** Thrown by createRun: an open run is about the same. */
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
