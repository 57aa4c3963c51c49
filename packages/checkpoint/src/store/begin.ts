/**
 * How a run begins. Its item and its filters are written first, then the register names it, on the condition that nothing in it
 * has changed since it was read. If another run of the same database is open, the new one joins its pace and
 * writes none. Otherwise it brings its own pace, which moves into an item of its own once the register names the run: of two runs
 * that begin at the same moment, only one may set the pace.
 */
import { BrokenStateError, NameTakenError, RunInProgressError, TooManyRunsError } from "../errors.ts";
import { newRunValue, splitSources } from "../run-values.ts";
import { isResyncRun, MAX_OPEN_RUNS, type NewRun, type Run } from "../run.ts";
import { absent, any, equals } from "../table/conditions.ts";
import type { Attributes } from "../table/table.ts";
import { itemOf } from "./attributes.ts";
import { untilDone } from "./attempts.ts";
import { carryOver } from "./carry-over.ts";
import { pastKey, runKey } from "./keys.ts";
import { paceAttributes } from "./pace-item.ts";
import { changeRegister, readRegister, type Register } from "./register.ts";
import { attributesOf } from "./run-item.ts";
import type { Deps } from "./run-updates.ts";
import { getRun } from "./run-with-pace.ts";
import { deleteScope, putScope } from "./scope.ts";

/** @throws RunInProgressError, NameTakenError or TooManyRunsError; before that, it deletes what it has written */
export async function beginRun(
  deps: Deps,
  newRun: NewRun,
  { openOf }: { readonly openOf: (register: Register) => Promise<readonly Run[]> },
): Promise<Run> {
  const { table } = deps;
  const run = newRunValue(newRun);
  const createMark = deps.newId();
  let isWritten = false;
  const withdraw = async (error: Error): Promise<never> => {
    if (isWritten) {
      await deleteScope(table, run.runId);
      await table.delete(runKey(run.runId));
    }
    throw error;
  };
  await untilDone("begin a run", async () => {
    const register = await readRegister(deps);
    // The SDK retried a write that succeeded.
    if (isWritten && register.open.some(({ runId }) => runId === run.runId)) return "done";
    const open = await openOf(register);
    if (open.length < register.open.length) return "again";
    const refusal = whyRefused(register, run.name, newRun.about);
    if (refusal !== null) return withdraw(refusal);

    const sharing = open.find((other) => isOfOnePace(other, run));
    if (sharing !== undefined) await carryOver(deps, sharing.runId);
    const attributes = sharing === undefined ? { ...attributesOf(run), ...paceAttributes(run) } : joining(run, sharing);
    const isOurs = any(absent("pk"), equals("createMark", createMark));
    if (!(await table.put(runKey(run.runId), itemOf({ ...attributes, createMark }), isOurs)))
      throw new BrokenStateError(`a run ${run.runId} is there already`);
    if (!isWritten) await putScope(table, run.runId, newRun.scope);
    isWritten = true;
    await keepLast(deps, register);
    const entry = { runId: run.runId, name: run.name, about: newRun.about };
    const isBegun = await changeRegister(table, register, { open: [...register.open, entry], last: register.last });
    return isBegun ? "done" : "again";
  });
  await carryOver(deps, run.runId);
  return (await getRun(deps, run.runId)) ?? run;
}

/** null: it may begin. */
export function whyRefused({ open }: Pick<Register, "open">, name: string | null, about: string): Error | null {
  const same = open.find((entry) => entry.about === about);
  if (same !== undefined) return new RunInProgressError(same.runId);
  const counted = open.filter((entry) => !isResyncRun(entry)).length;
  if (counted >= MAX_OPEN_RUNS && !isResyncRun({ name })) return new TooManyRunsError(counted);
  const namesake = name === null ? undefined : open.find((entry) => entry.name === name || entry.runId === name);
  return name === null || namesake === undefined ? null : new NameTakenError(name, namesake.runId);
}

/** If the database of one of the runs is not known, we assume that both have the same one. This can only make the runs slower, never faster. */
function isOfOnePace(open: Run, run: Run): boolean {
  return (
    open.paceId === run.paceId ||
    open.database === null ||
    run.database === null ||
    open.database.id === run.database.id
  );
}

/** The item of a run that joins the pace of another one. */
function joining(run: Run, { paceId, paceVersion }: Run): Attributes {
  return { ...attributesOf({ ...run, paceId, sources: splitSources(run.sources).ofScope }), paceSince: paceVersion };
}

/** An older program kept only its last run, in `pointer`. If that run is finished, it becomes the first entry of the list of past runs. */
async function keepLast(deps: Deps, { turn, last }: Register): Promise<void> {
  if (turn > 0 || last === null) return;
  const run = await getRun(deps, last);
  if (run !== null) await deps.table.update(pastKey(run), { set: { runId: run.runId } });
}
