/**
 * Which run there is. A run begins when the pointer names it, not when its item is written: a crash in between leaves
 * items that nobody will look for. It ends when its status says so; the pointer is closed afterwards, by the process
 * that ended it or, if that one crashed, by the next one that reads it. Its pace moves into an item of its own once the pointer names it:
 * of two runs that begin at the same moment, only one may set the pace.
 */
import { isFinished } from "@firehose-backfill/core/run-state";
import { BrokenStateError, RunInProgressError } from "../errors.ts";
import { newRunValue } from "../run-values.ts";
import type { Run } from "../run.ts";
import type { RunStore } from "../run-store.ts";
import { absent, all, any, equals } from "../table/conditions.ts";
import type { Item, Table } from "../table/table.ts";
import { itemOf, readFlag, readText } from "./attributes.ts";
import { carryOver } from "./carry-over.ts";
import { POINTER_KEY, runKey } from "./keys.ts";
import { paceAttributes } from "./pace-item.ts";
import { attributesOf } from "./run-item.ts";
import type { Deps } from "./run-updates.ts";
import { getRun } from "./run-with-pace.ts";
import { deleteScope, putScope, scopeReader } from "./scope.ts";

export function runMethods(deps: Deps): Pick<RunStore, "currentRun" | "getRun" | "getScope" | "createRun"> {
  const { table } = deps;
  return {
    async currentRun(options = {}) {
      const pointer = await table.get(POINTER_KEY);
      if (pointer === null || (options.openOnly === true && !readFlag(pointer, "open"))) return null;
      const run = await runOf(deps, pointer);
      return options.openOnly === true && isFinished(run.status) ? null : run;
    },

    getRun: (runId) => getRun(deps, runId),
    getScope: scopeReader(table),

    async createRun(newRun) {
      const run = newRunValue(newRun);
      const pointer = await table.get(POINTER_KEY);
      if (pointer !== null) {
        const last = await runOf(deps, pointer);
        if (!isFinished(last.status)) throw new RunInProgressError(last.runId);
      }
      await putNew(deps, run);
      await putScope(table, run.runId, newRun.scope);
      await openPointer(table, run.runId);
      await carryOver(deps, run.runId);
      return (await getRun(deps, run.runId)) ?? run;
    },
  };
}

/** Called once a run is finished. Safe to repeat, and harmless when another run has begun. */
export async function closePointer(table: Table, runId: string): Promise<void> {
  await table.update(POINTER_KEY, { set: { open: false } }, all(equals("runId", runId), equals("open", true)));
}

/** The run that the pointer names; closes a pointer that a crash left open. */
async function runOf(deps: Deps, pointer: Item): Promise<Run> {
  const runId = readText(pointer, "runId");
  const run = await getRun(deps, runId);
  if (run === null) throw new BrokenStateError(`the pointer names run ${runId}, which is not there`);
  if (readFlag(pointer, "open") && isFinished(run.status)) await closePointer(deps.table, runId);
  return run;
}

async function putNew(deps: Deps, run: Run): Promise<void> {
  const createMark = deps.newId();
  const key = runKey(run.runId);
  if (await deps.table.put(key, itemOf({ ...attributesOf(run), ...paceAttributes(run), createMark }), absent("pk")))
    return;
  const found = await deps.table.get(key);
  if (found === null || readText(found, "createMark") !== createMark)
    throw new BrokenStateError(`a run ${run.runId} is there already`);
}

/** @throws RunInProgressError when another run was faster; ours is taken away again */
async function openPointer(table: Table, runId: string): Promise<void> {
  const isOpen = await table.update(
    POINTER_KEY,
    { set: { runId: runId, open: true } },
    any(absent("pk"), equals("open", false)),
  );
  if (isOpen !== null) return;
  const pointer = await table.get(POINTER_KEY);
  const winner = pointer === null ? runId : readText(pointer, "runId");
  if (winner === runId) return;
  await deleteScope(table, runId);
  await table.delete(runKey(runId));
  throw new RunInProgressError(winner);
}
