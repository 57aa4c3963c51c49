/** What the operator and the use cases change of a run: its status and its epoch; and what consumers say of it. */
import { isFinished } from "@firehose-backfill/core/run-state";
import type { RunStore } from "../run-store.ts";
import { allowedSources, boundDatabase, canRenew, newEpochOf, patchOf } from "../run-values.ts";
import { absent, equals, oneOf } from "../table/conditions.ts";
import { untilDone } from "./attempts.ts";
import { runKey } from "./keys.ts";
import { readRun } from "./run-item.ts";
import { getRun, IS_OPEN, updateRunItem, updateRunOnce } from "./run-updates.ts";
import { closePointer } from "./runs.ts";
import { epochEndsAfter, type SweepDeps, sweepToTheEnd } from "./sweep.ts";

export function controlMethods(
  deps: SweepDeps,
): Pick<RunStore, "transition" | "newEpoch" | "bindDatabase" | "addMemoryPause"> {
  const { table } = deps;
  return {
    async transition(runId, from, to, patch) {
      const sources = allowedSources(from, to);
      if (sources.length === 0) return null;
      if (to === "succeeded") await sweepToTheEnd(deps, runId);
      const after = await updateRunOnce(
        deps,
        runId,
        "statusMark",
        { fields: { ...patchOf(patch), status: to } },
        oneOf("status", sources),
      );
      if (after === null) return null;
      if (isFinished(to)) await closePointer(table, runId);
      return readRun(after);
    },

    newEpoch: (runId, change) =>
      untilDone("new epoch", async () => {
        const item = await table.get(runKey(runId));
        const run = item === null ? null : readRun(item);
        if (item === null || run === null || !canRenew(run, change)) return null;
        const after = await updateRunOnce(
          deps,
          runId,
          "epochMark",
          { fields: newEpochOf(run, change), set: epochEndsAfter(item, run) },
          equals("epoch", run.epoch),
          equals("registered", run.registered),
          equals("folded", run.folded),
          equals("paceEpoch", run.paceEpoch),
          IS_OPEN,
        );
        return after === null ? "again" : readRun(after);
      }),

    async bindDatabase(runId, found) {
      const bound = boundDatabase(found);
      const after = await updateRunItem(table, runId, { fields: { database: bound } }, absent("db"));
      return (after === null ? await getRun(table, runId) : readRun(after))?.database ?? bound;
    },

    async addMemoryPause(runId, nowMs) {
      // Told twice, it counts twice: a figure for people.
      await updateRunItem(table, runId, { fields: { lastMemoryPauseAtMs: nowMs }, add: { memoryPauses: 1 } });
    },
  };
}
