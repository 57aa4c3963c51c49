/** What happens to a run as a whole: it begins, changes its status or its generation, and has one reader at a time. */
import type { ScopeSettings } from "@firehose-backfill/core/config/settings";
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import type { RunStatus } from "@firehose-backfill/core/run-state";
import type { NewGeneration, RunPatch } from "./run-changes.ts";
import type { NewRun, Quiet, Run, TickReport } from "./run.ts";
import type { Lease } from "./window.ts";

export interface RunStore {
  /** All open runs, in the order in which they began, each with its pace; at most MAX_OPEN_RUNS. Where there is none it costs one read. */
  openRuns(): Promise<readonly Run[]>;
  /** Runs that are finished, those that began last first. */
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
   * Where another open run is of the same pace, or may be (the database of one of them is not known yet), the new run joins that
   * pace, and the throttle stays what it is. Otherwise the pace begins anew, as the new run says.
   * @throws RunInProgressError where an open run is about the same; NameTakenError; TooManyRunsError. Nothing has changed then
   */
  createRun(run: NewRun): Promise<Run>;
  /**
   * Changes status if the stored one is in `from` and the table of transitions has the step (or it is the same status).
   * Returns the run after it, or null where the condition failed. `succeeded` sweeps to the end first, so that a
   * later redrive finds its batch in the ledger.
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
  /** Binds a run that has no database yet to this one; returns the one that it is bound to now. */
  bindDatabase(runId: string, found: DatabaseIdentity): Promise<DatabaseIdentity>;
  /** null: somebody else holds it. Every success raises the fence. */
  acquireLease(
    runId: string,
    options: { owner: string; ttlMs: number; nowMs: number },
  ): Promise<{ lease: Lease; run: Run } | null>;
  /** false: lost. */
  renewLease(lease: Lease, options: { ttlMs: number; nowMs: number }): Promise<boolean>;
  releaseLease(
    lease: Lease,
    report: { tick: TickReport; nextTickAtMs: number | null; queueEmptySinceMs: number | null; quiet: Quiet | null },
  ): Promise<void>;
}
