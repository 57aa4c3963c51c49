/**
 * The pace: the counter that decides it (`plannedDueMs`, the first moment that no place has been given away for), the
 * throttle, back-off, and what is waited for. Its attributes are in the run item.
 */
import { isDeepStrictEqual } from "node:util";
import { isFinished } from "@firehose-backfill/core/run-state";
import { boundTune, MAX_BACK_OFF_REASON_BYTES, shortenText } from "../bounds.ts";
import { BrokenStateError, RunNotFoundError } from "../errors.ts";
import type { PaceStore } from "../pace-store.ts";
import { MAX_BACK_OFF } from "@firehose-backfill/throttle/back-off";
import { tunedFields, wholeMs } from "../run-values.ts";
import type { Run } from "../run.ts";
import { compare, equals } from "../table/conditions.ts";
import type { Change } from "../table/table.ts";
import { readNumber } from "./attributes.ts";
import { untilDone } from "./attempts.ts";
import { runKey } from "./keys.ts";
import { held } from "./lease.ts";
import { readRun } from "./run-item.ts";
import { type Deps, getRun, IS_OPEN, updateRunItem, updateRunOnce } from "./run-updates.ts";

export function paceMethods(deps: Deps): PaceStore {
  const { table } = deps;
  return {
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
        const unmoved = equals("paceEpoch", run.paceEpoch);
        const after = await updateRunOnce(deps, runId, "tuneMark", { fields }, unmoved, IS_OPEN);
        return after === null ? "again" : readRun(after);
      });
    },

    async reservePlaces(lease, { expectedMs, nextMs, paceEpoch }) {
      if (nextMs < expectedMs) throw new BrokenStateError(`the pace cannot go back from ${expectedMs} to ${nextMs}`);
      const after = await updateRunOnce(
        deps,
        lease.runId,
        "reserveMark",
        { fields: { plannedDueMs: wholeMs(nextMs) } },
        held(lease),
        equals("plannedDueMs", expectedMs),
        equals("paceEpoch", paceEpoch),
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
          compare("plannedDueMs", ">=", nowMs),
        );
        const after =
          behind ??
          (await updateRunItem(
            table,
            runId,
            { fields: { plannedDueMs: nowMs + intervalMs } },
            compare("plannedDueMs", "<", nowMs),
          ));
        if (after !== null)
          return { dueMs: readNumber(after, "plannedDueMs") - intervalMs, paceEpoch: readNumber(after, "paceEpoch") };
        if ((await table.get(runKey(runId))) === null) throw new RunNotFoundError(runId);
        return "again";
      });
    },

    async raiseBackOff(runId, { reason, notAfterMs, nowMs }) {
      const run = await getRun(table, runId);
      if (run === null || run.backOffAtMs >= notAfterMs) return false;
      const canRise = run.backOff < MAX_BACK_OFF;
      const fields = {
        backOff: Math.min(MAX_BACK_OFF, run.backOff * 2),
        backOffAtMs: nowMs,
        backOffReason: shortenText(reason, MAX_BACK_OFF_REASON_BYTES),
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
      // Nobody would ever end the waiting of a finished run, whose batches may be redriven.
      const conditions = waiting === null ? [] : [IS_OPEN];
      await updateRunItem(table, runId, { fields: { waiting: bounded } }, ...conditions);
    },
  };
}

/** Whether the change stands: made now, or found made, by us or by another who did the same at the same moment. */
async function changeBackOff(
  { table }: Deps,
  run: Run,
  change: Change & { readonly fields: Pick<Run, "backOff" | "backOffAtMs"> },
): Promise<boolean> {
  const after = await updateRunItem(
    table,
    run.runId,
    change,
    equals("backOff", run.backOff),
    equals("backOffAtMs", run.backOffAtMs),
  );
  if (after !== null) return true;
  const now = await getRun(table, run.runId);
  return now !== null && now.backOff === change.fields.backOff && now.backOffAtMs === change.fields.backOffAtMs;
}
