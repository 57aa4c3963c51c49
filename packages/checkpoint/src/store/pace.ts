/**
 * The pace: the counter that decides it (`plannedDueMs`, the first moment after all reserved slots), the throttle, back-off, and
 * current waits. These updates never create its item: carry-over.ts does.
 */
import { isDeepStrictEqual } from "node:util";
import { isFinished } from "@firehose-backfill/core/run-state";
import { boundTune, shortenText } from "../bounds.ts";
import { BrokenStateError, PaceNotFoundError } from "../errors.ts";
import type { PaceStore } from "../pace-store.ts";
import type { Pace } from "../pace.ts";
import { MAX_BACK_OFF } from "@firehose-backfill/throttle/back-off";
import { tunedFields, wholeMs } from "../run-values.ts";
import { all, compare, equals, exists } from "../table/conditions.ts";
import type { Change, Condition, Item } from "../table/table.ts";
import { readNumber } from "./attributes.ts";
import { untilDone } from "./attempts.ts";
import { bringOut } from "./carry-over.ts";
import { paceKey } from "./keys.ts";
import { paceAttributes, readPace } from "./pace-item.ts";
import { type Deps, updateOnce } from "./run-updates.ts";
import { getRun, withPace } from "./run-with-pace.ts";

type PaceChange = Pick<Change, "add"> & { readonly fields?: Partial<Pace> };

export function paceMethods(deps: Deps): PaceStore {
  return {
    async tune(runId, change) {
      let isRepeated = false;
      return untilDone("tune", async () => {
        const run = await getRun(deps, runId);
        if (run === null || isFinished(run.status)) return null;
        // The SDK retried a write that succeeded, and another tune replaced our mark. The list of tunes shows that ours was made.
        if (isRepeated && run.tunes.some((record) => isDeepStrictEqual(record, boundTune(change.record)))) return run;
        isRepeated = true;
        if (run.paceVersion !== (change.paceVersion ?? run.paceVersion)) return null;
        // paceVersion rises with every tune: while it is the same, the list of tunes is the same.
        const unmoved = equals("paceEpoch", run.paceVersion);
        await bringOut(deps, run.paceId);
        const set = paceAttributes(tunedFields(run, change));
        const after = await updateOnce(deps, paceKey(run.paceId), "tuneMark", { set }, unmoved);
        return after === null ? "again" : withPace(run, readPace(after, run.paceId));
      });
    },

    async noteSeen(paceId, seen) {
      await updatePace(deps, paceId, { fields: { seen } });
    },

    async reserveSlots(paceId, { expectedMs, nextMs, paceVersion }) {
      if (nextMs < expectedMs) throw new BrokenStateError(`the pace cannot go back from ${expectedMs} to ${nextMs}`);
      await bringOut(deps, paceId);
      const after = await updateOnce(
        deps,
        paceKey(paceId),
        "reserveMark",
        { set: { plannedDueMs: wholeMs(nextMs) } },
        equals("plannedDueMs", expectedMs),
        equals("paceEpoch", paceVersion),
      );
      return after !== null;
    },

    takeSlot(paceId, options) {
      const intervalMs = wholeMs(options.intervalMs);
      const nowMs = wholeMs(options.nowMs);
      // Two updates, because DynamoDB cannot add to the larger of two numbers. If the SDK retries a write that succeeded, one slot
      // stays unused, which is slower and never faster.
      return untilDone("take a slot", async () => {
        const behind = await updatePace(
          deps,
          paceId,
          { add: { plannedDueMs: intervalMs } },
          compare("plannedDueMs", ">=", nowMs),
        );
        const after =
          behind ??
          (await updatePace(
            deps,
            paceId,
            { fields: { plannedDueMs: nowMs + intervalMs } },
            compare("plannedDueMs", "<", nowMs),
          ));
        if (after !== null)
          return { dueMs: readNumber(after, "plannedDueMs") - intervalMs, paceVersion: readNumber(after, "paceEpoch") };
        if ((await deps.table.get(paceKey(paceId))) === null) throw new PaceNotFoundError(paceId);
        return "again";
      });
    },

    async raiseBackOff(paceId, { reason, notAfterMs, nowMs }) {
      const pace = await getPace(deps, paceId);
      if (pace === null || pace.backOffAtMs >= notAfterMs) return false;
      const canRise = pace.backOff < MAX_BACK_OFF;
      const fields = {
        backOff: Math.min(MAX_BACK_OFF, pace.backOff * 2),
        backOffAtMs: nowMs,
        backOffReason: shortenText(reason),
        ...(canRise && { plannedDueMs: wholeMs(nowMs) }),
      };
      const isChanged = await changeBackOff(deps, pace, { fields, ...(canRise && { add: { paceEpoch: 1 } }) });
      return canRise && isChanged;
    },

    async halveBackOff(paceId, { notAfterMs, nowMs }) {
      const pace = await getPace(deps, paceId);
      if (pace === null || pace.backOff <= 1 || pace.backOffAtMs >= notAfterMs) return false;
      return changeBackOff(deps, pace, { fields: { backOff: Math.max(1, pace.backOff / 2), backOffAtMs: nowMs } });
    },

    async setWaiting(paceId, waiting) {
      const bounded = waiting === null ? null : { ...waiting, for: shortenText(waiting.for) };
      await updatePace(deps, paceId, { fields: { waiting: bounded } });
    },

    async addMemoryPause(paceId, nowMs) {
      // If the SDK sends it twice, it counts twice: the number is only shown to people.
      await updatePace(deps, paceId, { fields: { lastMemoryPauseAtMs: nowMs }, add: { memoryPauses: 1 } });
    },
  };
}

async function getPace(deps: Deps, paceId: string): Promise<Pace | null> {
  await bringOut(deps, paceId);
  const item = await deps.table.get(paceKey(paceId));
  return item === null ? null : readPace(item, paceId);
}

/** The item after the change; null: the condition does not hold, or there is no such pace. */
async function updatePace(
  deps: Deps,
  paceId: string,
  { fields = {}, ...change }: PaceChange,
  ...conditions: readonly Condition[]
): Promise<Item | null> {
  await bringOut(deps, paceId);
  const set = paceAttributes(fields);
  return deps.table.update(paceKey(paceId), { ...change, set }, all(exists("pk"), ...conditions));
}

/** Whether the change is stored: by this call, by an earlier one, or by another writer that made the same change. */
async function changeBackOff(
  deps: Deps,
  pace: Pace,
  change: PaceChange & { readonly fields: Pick<Pace, "backOff" | "backOffAtMs"> },
): Promise<boolean> {
  const { backOff, backOffAtMs } = change.fields;
  const unmoved = [equals("backOff", pace.backOff), equals("backOffAtMs", pace.backOffAtMs)];
  if ((await updatePace(deps, pace.paceId, change, ...unmoved)) !== null) return true;
  const now = await getPace(deps, pace.paceId);
  return now !== null && now.backOff === backOff && now.backOffAtMs === backOffAtMs;
}
