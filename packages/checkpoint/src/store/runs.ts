/**
 * The list of runs. A run exists once the register names it, not when its item is written. If a process crashes in between, the
 * items stay and nobody looks for them. A run ends when its status says so. The register is changed after that, by the same
 * process or, if it crashed, by the next one that reads the register.
 */
import { isFinished } from "@firehose-backfill/core/run-state";
import { BrokenStateError } from "../errors.ts";
import { isResyncRun, RESYNC_RUN, type Run } from "../run.ts";
import type { RunStore } from "../run-store.ts";
import { readText, readTextOrNull } from "./attributes.ts";
import { untilDone } from "./attempts.ts";
import { beginRun, whyRefused } from "./begin.ts";
import type { Item } from "../table/table.ts";
import { LAST, OPEN_KEY, PAST, PAST_RESYNC, pastKey } from "./keys.ts";
import { changeRegister, readRegister, type Register } from "./register.ts";
import type { Deps } from "./run-updates.ts";
import { getRun, getRuns } from "./run-with-pace.ts";
import { scopeReader } from "./scope.ts";

type Methods = "openRuns" | "pastRuns" | "findRun" | "currentRun" | "getRun" | "getScope" | "createRun" | "refusalOf";

/** One request reads the runs and the pace that they share. */
const MAX_PAST = 50;
const MAX_PAST_RESYNCS = 10;

export function runMethods(deps: Deps): Pick<RunStore, Methods> {
  const { table } = deps;
  return {
    openRuns: async () => openOf(deps, await readRegister(deps)),

    async pastRuns({ limit }) {
      const most = Math.min(limit, MAX_PAST);
      const [people, resyncs] = await Promise.all([
        pastItems(deps, PAST, most),
        pastItems(deps, PAST_RESYNC, Math.min(most, MAX_PAST_RESYNCS)),
      ]);
      const ids = [...people, ...resyncs]
        .toSorted((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1))
        .slice(0, most)
        .map((item) => readText(item, "runId"));
      // An older program kept only its last run.
      const { last } = ids.length === 0 ? await readRegister(deps) : { last: null };
      return most < 1 ? [] : getRuns(deps, last === null ? ids : [last]);
    },

    async findRun(idOrName) {
      const { open } = await readRegister(deps);
      const entry = open.find(({ runId, name }) => runId === idOrName || name === idOrName);
      const run = await getRun(deps, entry?.runId ?? idOrName);
      if (run !== null) return run;
      const item = (await pastItems(deps, idOrName === RESYNC_RUN ? PAST_RESYNC : PAST, MAX_PAST)).find(
        (past) => readTextOrNull(past, "name") === idOrName,
      );
      return item === undefined ? null : getRun(deps, readText(item, "runId"));
    },

    async currentRun(options = {}) {
      const register = await readRegister(deps);
      const isOnlyResync = register.open.every(isResyncRun);
      // A resync is shown where there is nothing else.
      if (isOnlyResync && register.last !== null && options.openOnly !== true) return mustBeThere(deps, register.last);
      const newest = register.open.findLast((entry) => isOnlyResync || !isResyncRun(entry));
      if (newest === undefined) return null;
      const run = await mustBeThere(deps, newest.runId);
      if (!isFinished(run.status)) return run;
      const open = await openOf(deps, register);
      return open.findLast((each) => !isResyncRun(each)) ?? open.at(-1) ?? (options.openOnly === true ? null : run);
    },

    getRun: (runId) => getRun(deps, runId),
    getScope: scopeReader(table),
    createRun: (newRun) => beginRun(deps, newRun, { openOf: (register) => openOf(deps, register) }),

    async refusalOf(newRun, { without } = {}) {
      const register = await readRegister(deps);
      const ids = new Set((await openOf(deps, register)).map(({ runId }) => runId));
      const open = register.open.filter(({ runId }) => ids.has(runId) && runId !== without);
      return whyRefused({ open }, newRun.name ?? null, newRun.about);
    },
  };
}

/** Called once a run is finished. Safe to repeat. */
export async function leaveRegister(deps: Deps, run: Pick<Run, "runId" | "name" | "createdAtMs">): Promise<void> {
  await untilDone("close a run", async () => {
    const register = await readRegister(deps);
    if (!register.open.some(({ runId }) => runId === run.runId)) return "done";
    const isResync = isResyncRun(run);
    await deps.table.update(pastKey(run, { isResync }), { set: { runId: run.runId, name: run.name } });
    const open = register.open.filter(({ runId }) => runId !== run.runId);
    const last = isResync ? (register.last ?? run.runId) : run.runId;
    return (await changeRegister(deps.table, register, { open, last })) ? "done" : "again";
  });
}

/** Returns the runs that the register names, and removes finished ones that a crash left there. */
async function openOf(deps: Deps, register: Register): Promise<readonly Run[]> {
  if (register.open.length === 0) return [];
  const runs = await getRuns(
    deps,
    register.open.map(({ runId }) => runId),
  );
  if (runs.length < register.open.length)
    throw new BrokenStateError(
      `a run of the register is not there: ${register.open.map(({ runId }) => runId).join(", ")}`,
    );
  for (const run of runs) if (isFinished(run.status)) await leaveRegister(deps, run);
  return runs.filter(({ status }) => !isFinished(status));
}

async function mustBeThere(deps: Deps, runId: string): Promise<Run> {
  const run = await getRun(deps, runId);
  if (run === null) throw new BrokenStateError(`the register names run ${runId}, which is not there`);
  return run;
}

function pastItems({ table }: Deps, kind: string, limit: number) {
  return limit < 1 ? Promise.resolve([]) : table.query({ pk: OPEN_KEY.pk, from: kind, to: kind + LAST, limit });
}

/** Smaller for a newer run, whatever its kind. */
function ageOf(item: Item): string {
  const sk = readText(item, "sk");
  return sk.slice(sk.indexOf("#"));
}
