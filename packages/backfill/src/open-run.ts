/** The run that an action is about: the one that is not finished. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import { UsageError } from "@firehose-backfill/core/errors";

type Deps = { readonly store: Pick<RunStore, "currentRun"> };

/** null: there is none. */
export async function openRun(deps: Deps): Promise<Run | null> {
  const run = await deps.store.currentRun();
  return run === null || run.finishedAtMs !== null ? null : run;
}

/** @throws UsageError where there is none */
export async function mustBeOpen(deps: Deps, action: string): Promise<Run> {
  const run = await openRun(deps);
  if (run === null) throw new UsageError(`there is no run to ${action}: start one first`);
  return run;
}
