/** The counter that decides the pace: `plannedDueMs`, the first moment that no place has been given away for. */
import { BrokenStateError, RunNotFoundError } from "../errors.ts";
import { wholeMs } from "../run-values.ts";
import type { CheckpointStore } from "../store.ts";
import { number, readNumber } from "./attributes.ts";
import { untilDone } from "./attempts.ts";
import { compare } from "./expressions.ts";
import { runKey } from "./keys.ts";
import { held } from "./lease.ts";
import { type Deps, updateRunItem, updateRunOnce } from "./run-store.ts";

export function paceMethods(deps: Deps): Pick<CheckpointStore, "reservePlaces" | "takePlace"> {
  const { table } = deps;
  return {
    async reservePlaces(lease, { expectedMs, nextMs, paceEpoch }) {
      if (nextMs < expectedMs) throw new BrokenStateError(`the pace cannot go back from ${expectedMs} to ${nextMs}`);
      const after = await updateRunOnce(
        deps,
        lease.runId,
        "reserveMark",
        { fields: { plannedDueMs: wholeMs(nextMs) } },
        held(lease),
        compare("plannedDueMs", "=", number(expectedMs)),
        compare("paceEpoch", "=", number(paceEpoch)),
      );
      return after !== null;
    },

    takePlace(runId, options) {
      const intervalMs = wholeMs(options.intervalMs);
      const nowMs = wholeMs(options.nowMs);
      // Two updates, because the larger of two numbers is not something that DynamoDB can add to. Told twice, a place
      // stays unused: slower, never faster.
      return untilDone("take a place", async () => {
        const behind = await updateRunItem(
          table,
          runId,
          { add: { plannedDueMs: intervalMs } },
          compare("plannedDueMs", ">=", number(nowMs)),
        );
        const after =
          behind ??
          (await updateRunItem(
            table,
            runId,
            { fields: { plannedDueMs: nowMs + intervalMs } },
            compare("plannedDueMs", "<", number(nowMs)),
          ));
        if (after !== null)
          return { dueMs: readNumber(after, "plannedDueMs") - intervalMs, paceEpoch: readNumber(after, "paceEpoch") };
        if ((await table.get(runKey(runId))) === null) throw new RunNotFoundError(runId);
        return "again";
      });
    },
  };
}
