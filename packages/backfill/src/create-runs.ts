/** Begins the runs of one start: with BACKFILL_SOURCE=both there are two, and with BACKFILL_HANDLES=true one more. */
import type { NewRun, Run } from "@firehose-backfill/checkpoint/run";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";

type Deps = { readonly store: Pick<RunStore, "createRun"> };

export interface Beside {
  readonly runs: readonly Run[];
  /** What became of each, for a person; empty: there are none. */
  readonly note: string;
}

/** The first one must begin. */
export async function createRuns(
  deps: Deps,
  [first, ...others]: readonly NewRun[],
): Promise<{ readonly run: Run; readonly beside: Beside }> {
  if (first === undefined) throw new Error("a start without a run");
  const run = await deps.store.createRun(first);
  return { run, beside: await createBeside(deps, others) };
}

/** One that the store does not take is said, and can be begun later. */
export async function createBeside({ store }: Deps, others: readonly NewRun[]): Promise<Beside> {
  const runs: Run[] = [];
  let note = "";
  for (const other of others) {
    try {
      const created = await store.createRun(other);
      runs.push(created);
      note += `; run ${created.runId}, on ${created.source.host}, is ${created.status}`;
    } catch (error) {
      if (!(error instanceof Error) || !REFUSALS.has(error.name)) throw error;
      // One run looks up the handles for all.
      if (other.source.kind === "handles" && error.name === "RunInProgressError") continue;
      note += `; the run on ${other.source.host} could not begin beside it: ${error.message}. Start it later with --source ${other.source.kind}`;
    }
  }
  return { runs, note };
}

const REFUSALS: ReadonlySet<string> = new Set(["RunInProgressError", "TooManyRunsError", "NameTakenError"]);
