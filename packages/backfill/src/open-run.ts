/** Which run an action is about: the one that is named, or the only one that is open. Where several are open, the answer lists them. */
import { isResyncRun, isSideRun, type Run } from "@firehose-backfill/checkpoint/run";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import { UsageError } from "@firehose-backfill/core/errors";

type Deps = { readonly store: Pick<RunStore, "openRuns" | "findRun"> };

/** Several runs are open, or none has this name: the command has to name another one. Exit code 2. */
export class ChooseRunError extends UsageError {
  override readonly name = "ChooseRunError";
}

/**
 * `wanted`: the id or the name of a run; undefined: the only one that is open. One that looks up handles counts only where there is no other, and
 * one that serves resyncs only where there is neither: the user has begun one run, and means that one.
 * @throws ChooseRunError; UsageError where none is open
 */
export async function chooseRun(deps: Deps, action: string, wanted: string | undefined): Promise<Run> {
  if (wanted !== undefined) {
    const run = await deps.store.findRun(wanted);
    if (run !== null) return run;
    throw new ChooseRunError(`no run has the id or the name ${wanted}.${listed(await deps.store.openRuns())}`);
  }
  const open = await deps.store.openRuns();
  const ranks = [open.filter((each) => !isSideRun(each)), open.filter((each) => !isResyncRun(each)), open];
  const [run, ...more] = ranks.find((runs) => runs.length > 0) ?? [];
  if (run === undefined) throw new UsageError(`there is no run to ${action}: start one first`);
  if (more.length === 0) return run;
  throw new ChooseRunError(
    `${more.length + 1} runs are open: say which one to ${action} with --run ID or --run NAME.${listed(open)}`,
  );
}

/** What goes on beside a run that was paused or cancelled without being named, and how to do the same with it. Empty: nothing does. */
export async function goesOnBeside(
  { store }: { readonly store: Pick<RunStore, "openRuns"> },
  run: Run,
  action: "pause" | "cancel",
): Promise<string> {
  if (isSideRun(run)) return "";
  const others = (await store.openRuns()).filter(
    (each) => isSideRun(each) && (each.status === "running" || each.status === "enqueued"),
  );
  return others
    .map(({ runId, source }) => {
      const does = source.kind === "handles" ? "looks up handles" : "reads repositories anew";
      return `. Run ${runId}, which ${does}, goes on: ${action} --run ${runId} if it is to stop, too`;
    })
    .join("");
}

/** Whether an open run besides this one may bring accounts that are not in the database yet. */
export async function bringsAccounts(store: Pick<RunStore, "openRuns">, runId: string): Promise<boolean> {
  return (await store.openRuns()).some((run) => run.runId !== runId && run.source.kind !== "handles");
}

/** `run 20261128-101500-k3f9`, or with its name behind. */
export function labelOf(run: Pick<Run, "runId" | "name">): string {
  return run.name === null ? `run ${run.runId}` : `run ${run.runId} (${run.name})`;
}

/** A line each: id, name, source, status. */
export function listRuns(runs: readonly Run[]): string {
  const rows = runs.map((run) => [run.runId, run.name ?? "-", run.source.host, run.status]);
  const widthOf = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widthOf(column)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function listed(runs: readonly Run[]): string {
  return runs.length === 0 ? " No run is open" : ` Open runs:\n${listRuns(runs)}`;
}
