/** What the operator and the use cases change of a run: its status, its generation and its database. */
import { isFinished } from "@firehose-backfill/core/run-state";
import type { RunStore } from "../run-store.ts";
import { allowedSources, boundDatabase, canRenew, newGenerationOf, patchOf } from "../run-values.ts";
import { absent, equals, oneOf } from "../table/conditions.ts";
import { untilDone } from "./attempts.ts";
import { bringOut } from "./carry-over.ts";
import { renewPace } from "./renew-pace.ts";
import { readRunItem } from "./run-item.ts";
import { getRunItem, IS_OPEN, updateRunItem, updateRunOnce } from "./run-updates.ts";
import { getRunAndItem, joinPace } from "./run-with-pace.ts";
import { leaveRegister } from "./runs.ts";
import { generationEndsAfter, type SweepDeps, sweepToTheEnd } from "./sweep.ts";

export function controlMethods(deps: SweepDeps): Pick<RunStore, "transition" | "newGeneration" | "bindDatabase"> {
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
      const run = await joinPace(deps, after);
      if (isFinished(to)) await leaveRegister(deps, run);
      return run;
    },

    newGeneration: (runId, change) =>
      untilDone("new generation", async () => {
        const found = await getRunAndItem(deps, runId);
        if (found === null || !canRenew(found.run, change)) return null;
        const { run, item } = found;
        if (deps.known.inRunItem.has(run.paceId)) {
          await bringOut(deps, run.paceId);
          return "again";
        }
        const after = await updateRunOnce(
          deps,
          runId,
          "epochMark",
          {
            fields: newGenerationOf(run, change),
            set: { ...generationEndsAfter(item, run), renewsPace: run.paceVersion },
          },
          equals("epoch", run.generation),
          equals("registered", run.registered),
          equals("folded", run.appliedWindow),
          IS_OPEN,
        );
        if (after === null) return "again";
        await renewPace(deps, after, change.nowMs);
        return joinPace(deps, after);
      }),

    async bindDatabase(runId, found) {
      const bound = boundDatabase(found);
      const after = await updateRunItem(table, runId, { fields: { database: bound } }, absent("db"));
      return (after === null ? await getRunItem(table, runId) : readRunItem(after))?.database ?? bound;
    },
  };
}
