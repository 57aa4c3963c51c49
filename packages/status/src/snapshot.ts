/** The state of a run at one moment, as an immutable value; page, text, JSON and scripts all show it. */
import type { AuditNote } from "@firehose-backfill/core/audit-note";
import type { RunStatus } from "@firehose-backfill/core/run-state";
import type { SourceHost } from "@firehose-backfill/source/source-hosts";

/** Where the run was asked to begin. */
export interface Asked {
  /** How many days back, if the start was given in days; -1: everything that the host keeps. */
  readonly days: number | null;
  /** ISO 8601, a sequence number, `oldest` or `live`. */
  readonly from: string;
}

/** What `progress` is a share of. */
export interface Goal {
  readonly by: "time" | "seq" | "repos";
  /** ISO 8601, a sequence number, or a number of repositories. */
  readonly from: string;
  readonly to: string;
}

/** The snapshot in one sentence. */
export interface Verdict {
  readonly level: "ok" | "waiting" | "attention" | "failed";
  readonly text: string;
  /** ISO 8601: since when, if that is known. */
  readonly since: string | null;
  /** What the operator can do; null: nothing is needed. */
  readonly advice: string | null;
}

export interface SnapshotPosition {
  readonly seq: number;
  /** ISO 8601; null: the source has no time there. A relay always has one. */
  readonly time: string | null;
}

export interface SnapshotGap {
  readonly from: SnapshotPosition;
  readonly to: SnapshotPosition;
  readonly host: string;
  readonly reason: string;
}

export interface SnapshotError {
  /** When it came last, ISO 8601. */
  readonly at: string;
  readonly source: string;
  readonly message: string;
  /** How often it came, if more than once. */
  readonly times?: number;
  /** Since when, if it came more than once and that is known. */
  readonly since?: string;
}

/** Repositories, as far as they are read; what of them is applied is told by the events. */
export interface SnapshotRepos {
  /** As many as were listed so far. */
  readonly known: number;
  readonly done: number;
  readonly inWork: number;
  /** They wait for their hosts. */
  readonly deferred: number;
  readonly failed: number;
}

export interface SnapshotAudit extends Omit<AuditNote, "atMs"> {
  /** When it ended, ISO 8601. */
  readonly at: string;
}

export interface Snapshot {
  readonly runId: string | null;
  /** What people call the run; null: it has no name. */
  readonly name: string | null;
  /** `none`: no run has ever existed here. */
  readonly status: RunStatus | "none";
  readonly reason: string | null;
  readonly host: string | null;
  /** `relay` or `repos`; null: there is no run. */
  readonly source: string | null;
  /** null: the run reads a relay, or nothing yet. */
  readonly repos: SnapshotRepos | null;
  /** Hosts of repositories, the worst 20. */
  readonly hosts: readonly SourceHost[];
  readonly profile: string | null;
  /** The requested range; null: there is no run. `cursor.start` and `gaps` show what the host had. */
  readonly asked: Asked | null;
  /** ISO 8601; null: there is no run. */
  readonly startedAt: string | null;
  readonly verdict: Verdict;
  /** What prevents the reader from reading; null: nothing. */
  readonly outage: { readonly text: string; readonly since: string | null } | null;
  /** What consumers wait for; null: nothing. */
  readonly waiting: { readonly for: string; readonly since: string } | null;
  readonly settings: Readonly<
    Record<string, { readonly value: string | number | boolean | null; readonly source: string }>
  >;
  readonly received: number;
  /** Sent to the database, stale ones included. */
  readonly processed: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly dead: number;
  /** `dead` by reason; reasons after the seventh as `other`. */
  readonly deadReasons: Readonly<Record<string, number>>;
  /** Over the last minute; never higher than the real rate. null: not enough data yet. */
  readonly ratePerSecond: number | null;
  /** Since the start, without pauses. null: not enough data yet. */
  readonly averageRatePerSecond: number | null;
  /** null: no pacing. */
  readonly allowedRatePerSecond: number | null;
  readonly cursor: {
    readonly start: SnapshotPosition | null;
    readonly reader: SnapshotPosition | null;
    readonly applied: SnapshotPosition | null;
    readonly target: SnapshotPosition | null;
  };
  readonly lagSeconds: number | null;
  /** 0 to 1 by event time. */
  readonly progress: number | null;
  /** What `progress` is a share of; null: where the run ends is not known yet. */
  readonly goal: Goal | null;
  readonly etaSeconds: number | null;
  readonly retentionSeconds: number | null;
  readonly fallsOffInSeconds: number | null;
  readonly queue: {
    readonly ready: number;
    readonly inFlight: number;
    readonly delayed: number;
    readonly oldestAgeSeconds: number | null;
    readonly deadLetters: number;
  };
  readonly memory: {
    readonly usedMb: number | null;
    readonly limitMb: number | null;
    readonly pauses: number;
    readonly lastPauseAt: string | null;
    readonly backOff: number;
  };
  readonly consumers: { readonly active: number; readonly max: number };
  readonly pool: { readonly used: number; readonly size: number };
  readonly lastTick: { readonly at: string; readonly durationMs: number; readonly endedBecause: string } | null;
  /** null: no further tick. In the past: it is due, or running. */
  readonly nextTickAt: string | null;
  readonly gaps: readonly SnapshotGap[];
  /** Repositories of this database that have to be read anew: how many, how many were read since there are requests, and the first 20. */
  readonly resyncs: {
    readonly count: number;
    readonly done: number;
    readonly first: readonly {
      readonly did: string;
      readonly reason: string;
      readonly rev: string | null;
      readonly at: string;
      /** The run that reads it; null: none does yet. */
      readonly takenBy: string | null;
    }[];
  };
  /** The last audit of this run's database, whoever asked for it; null: none was made. */
  readonly audit: SnapshotAudit | null;
  readonly errors: readonly SnapshotError[];
  readonly tunes: readonly {
    readonly at: string;
    readonly by: string;
    /** Of an operator's tune: by which way it came. */
    readonly who?: string;
    /** No batch has ended since, so the change has had no effect yet. */
    readonly pending: boolean;
    readonly changes: Readonly<Record<string, { from: unknown; to: unknown }>>;
  }[];
  /** Who did what to the run, oldest first; at most 100. Tunes are in `tunes`. */
  readonly actions: readonly {
    readonly at: string;
    readonly what: string;
    readonly by: string;
    readonly detail: string;
  }[];
  /** Wall-clock time, without pauses. */
  readonly elapsedSeconds: number;
  /** How many runs are open, if more than this one; set by the code that serves one of several. */
  readonly openRuns?: number;
  /** The process that made it has ended; set by the code that reads it from a file. */
  readonly stopped?: boolean;
  readonly at: string;
}
