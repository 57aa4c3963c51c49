/** The store of runs: a run begins, changes its status or its generation, and has one reader at a time. */
import type { ScopeSettings } from "@firehose-backfill/core/config/settings";
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import type { RunStatus } from "@firehose-backfill/core/run-state";
import type { NewGeneration, RunPatch } from "./run-changes.ts";
import type { NewRun, Quiet, Run, TickReport } from "./run.ts";
import type { Lease } from "./window.ts";

export interface RunStore {
  /** All open runs with their paces, in the order in which they began; at most MAX_OPEN_RUNS. If none is open, this takes one read. */
  openRuns(): Promise<readonly Run[]>;
  /** Finished runs, the one that began last first. */
  pastRuns(options: { readonly limit: number }): Promise<readonly Run[]>;
  /** An open run by its id or its name, or a finished one by its id, or the last finished one of that name. null: there is none. */
  findRun(idOrName: string): Promise<Run | null>;
  /**
   * For those who look at one run alone: of the open runs the one that began last; where none is open, the one that was finished last.
   * A run that serves resyncs is meant only where there is no other one. null: no run has ever existed. `openOnly`: null as well when none is open, and then it costs one read.
   */
  currentRun(options?: { readonly openOnly?: boolean }): Promise<Run | null>;
  /** The run and its pace with one request, each consistent in itself. null: no such run. */
  getRun(runId: string): Promise<Run | null>;
  /** The full filters of a run. */
  getScope(runId: string): Promise<ScopeSettings | null>;
  /**
   * If another open run has the same pace, or may have it because the database of one of them is not known yet, the new run
   * joins that pace, and the throttle does not change. Otherwise the pace begins again with the new run's throttle.
   * @throws RunInProgressError if an open run is about the same; NameTakenError; TooManyRunsError. In these cases nothing has
   * changed
   */
  createRun(run: NewRun): Promise<Run>;
  /** The error with which createRun would refuse this run now; null: it would begin. `without`: as if this open run had ended. */
  refusalOf(run: NewRun, options?: { readonly without?: string | undefined }): Promise<Error | null>;
  /**
   * Changes the status if the stored one is in `from` and the table of transitions allows the step (or it is the same status).
   * Returns the changed run, or null if the condition was false. `succeeded` sweeps to the end first, so that a later redrive
   * finds its batch in the ledger.
   */
  transition(runId: string, from: readonly RunStatus[], to: RunStatus, patch: RunPatch): Promise<Run | null>;
  /**
   * generation + 1, cursors to `cursor`, unapplied windows dropped with their counts (appliedWindow = registered: numbers are never
   * used twice); target, recent times, broken frames and queueEmptySinceMs cleared. Then its pace: paceVersion + 1,
   * plannedDue = now, waiting cleared; after a crash in between the next reader that takes the lease does it. null: the
   * generation is not the run's any more, the run is finished, or no `start` was given and the applied cursor is not at
   * `cursor` any more. In that case a reader has moved it and counted what lies between, which would be counted again.
   */
  newGeneration(runId: string, change: NewGeneration): Promise<Run | null>;
  /** Binds a run without a database to this one. Returns the database to which it is bound now. */
  bindDatabase(runId: string, found: DatabaseIdentity): Promise<DatabaseIdentity>;
  /** null: somebody else has the lease. Every success raises the fence. */
  acquireLease(
    runId: string,
    options: { owner: string; ttlMs: number; nowMs: number },
  ): Promise<{ lease: Lease; run: Run } | null>;
  /** false: the lease is lost. */
  renewLease(lease: Lease, options: { ttlMs: number; nowMs: number }): Promise<boolean>;
  releaseLease(
    lease: Lease,
    report: { tick: TickReport; nextTickAtMs: number | null; queueEmptySinceMs: number | null; quiet: Quiet | null },
  ): Promise<void>;
}
