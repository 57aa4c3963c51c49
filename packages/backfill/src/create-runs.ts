/** Begins the runs of one start: with BACKFILL_SOURCE=both there are two. */
import type { NewRun, Run } from "@firehose-backfill/checkpoint/run";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";

export interface CreatedRuns {
  /** The first one. */
  readonly run: Run;
  /** What became of the others, for a person; empty: there are none. */
  readonly note: string;
}

/** The first one must begin. Another one that the store does not take beside it is said, and can be begun later. */
export async function createRuns(
  { store }: { readonly store: Pick<RunStore, "createRun"> },
  [first, ...others]: readonly NewRun[],
): Promise<CreatedRuns> {
  if (first === undefined) throw new Error("a start without a run");
  const run = await store.createRun(first);
  let note = "";
  for (const other of others) {
    try {
      const created = await store.createRun(other);
      note += `; run ${created.runId}, on ${created.source.host}, is ${created.status}`;
    } catch (error) {
      if (!isInProgress(error)) throw error;
      note += `; the run on ${other.source.host} could not begin beside it: start it with --source ${other.source.kind} when this one has ended`;
    }
  }
  return { run, note };
}

function isInProgress(error: unknown): boolean {
  return error instanceof Error && error.name === "RunInProgressError";
}
