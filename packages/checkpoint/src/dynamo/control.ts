/** What the operator and the use cases change of a run: its status, its throttle, its epoch; and what consumers say of it. */
import { isDeepStrictEqual } from "node:util";
import { isFinished } from "@firehose-backfill/core/run-state";
import { boundTune, shortenText } from "../bounds.ts";
import {
  allowedSources,
  canRenew,
  MAX_BACK_OFF,
  newEpochOf,
  OPEN_STATUSES,
  patchOf,
  tunedFields,
  wholeMs,
} from "../run-values.ts";
import type { Run } from "../run.ts";
import type { CheckpointStore } from "../store.ts";
import { number, text } from "./attributes.ts";
import { untilDone } from "./attempts.ts";
import { type Change, compare, oneOf } from "./expressions.ts";
import { runKey } from "./keys.ts";
import { readRun } from "./run-item.ts";
import { getRun, updateRunItem, updateRunOnce } from "./run-store.ts";
import { closePointer } from "./runs.ts";
import { epochEndsAfter, type SweepDeps, sweepToTheEnd } from "./sweep.ts";

type Methods = "transition" | "tune" | "newEpoch" | "raiseBackOff" | "halveBackOff" | "setWaiting" | "addMemoryPause";

export function controlMethods(deps: SweepDeps): Pick<CheckpointStore, Methods> {
  const { table } = deps;
  const isOpen = oneOf("status", OPEN_STATUSES.map(text));
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
        oneOf("status", sources.map(text)),
      );
      if (after === null) return null;
      if (isFinished(to)) await closePointer(table, runId);
      return readRun(after);
    },

    async tune(runId, change) {
      let isRepeated = false;
      return untilDone("tune", async () => {
        const run = await getRun(table, runId);
        if (run === null || isFinished(run.status)) return null;
        // Made and told twice, and another tune came before we looked for our mark: the record says that it was made.
        if (isRepeated && run.tunes.some((record) => isDeepStrictEqual(record, boundTune(change.record)))) return run;
        isRepeated = true;
        if (run.paceEpoch !== (change.paceEpoch ?? run.paceEpoch)) return null;
        const fields = tunedFields(run, change);
        // paceEpoch rises with every tune: while it stands, so does the list of them.
        const unmoved = compare("paceEpoch", "=", number(run.paceEpoch));
        const after = await updateRunOnce(deps, runId, "tuneMark", { fields }, unmoved, isOpen);
        return after === null ? "again" : readRun(after);
      });
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
          compare("epoch", "=", number(run.epoch)),
          compare("registered", "=", number(run.registered)),
          compare("folded", "=", number(run.folded)),
          compare("paceEpoch", "=", number(run.paceEpoch)),
          isOpen,
        );
        return after === null ? "again" : readRun(after);
      }),

    async raiseBackOff(runId, { reason, notAfterMs, nowMs }) {
      const run = await getRun(table, runId);
      if (run === null || run.backOffAtMs >= notAfterMs) return false;
      const canRise = run.backOff < MAX_BACK_OFF;
      const fields = {
        backOff: Math.min(MAX_BACK_OFF, run.backOff * 2),
        backOffAtMs: nowMs,
        backOffReason: shortenText(reason),
        ...(canRise && { plannedDueMs: wholeMs(nowMs) }),
      };
      const isChanged = await changeBackOff(deps, run, { fields, ...(canRise && { add: { paceEpoch: 1 } }) });
      return canRise && isChanged;
    },

    async halveBackOff(runId, { notAfterMs, nowMs }) {
      const run = await getRun(table, runId);
      if (run === null || run.backOff <= 1 || run.backOffAtMs >= notAfterMs) return false;
      return changeBackOff(deps, run, { fields: { backOff: Math.max(1, run.backOff / 2), backOffAtMs: nowMs } });
    },

    async setWaiting(runId, waiting) {
      const bounded = waiting === null ? null : { ...waiting, for: shortenText(waiting.for) };
      await updateRunItem(table, runId, { fields: { waiting: bounded } });
    },

    async addMemoryPause(runId, nowMs) {
      // Told twice, it counts twice: a figure for people.
      await updateRunItem(table, runId, { fields: { lastMemoryPauseAtMs: nowMs }, add: { memoryPauses: 1 } });
    },
  };
}

/** Whether the change stands: made now, or found made, by us or by another who did the same at the same moment. */
async function changeBackOff(
  { table }: SweepDeps,
  run: Run,
  change: Change & { readonly fields: Pick<Run, "backOff" | "backOffAtMs"> },
): Promise<boolean> {
  const after = await updateRunItem(
    table,
    run.runId,
    change,
    compare("backOff", "=", number(run.backOff)),
    compare("backOffAtMs", "=", number(run.backOffAtMs)),
  );
  if (after !== null) return true;
  const now = await getRun(table, run.runId);
  return now !== null && now.backOff === change.fields.backOff && now.backOffAtMs === change.fields.backOffAtMs;
}
