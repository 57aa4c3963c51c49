/** The run in memory: which there is, its status, its throttle, its epoch, its pace. Mirrors dynamo/runs.ts, control.ts and pace.ts. */
import { isFinished } from "@firehose-backfill/core/run-state";
import { shortenText } from "../bounds.ts";
import { BrokenStateError, RunInProgressError } from "../errors.ts";
import {
  allowedSources,
  canRenew,
  MAX_BACK_OFF,
  newEpochOf,
  newRunValue,
  patchOf,
  tunedFields,
  wholeMs,
} from "../run-values.ts";
import type { CheckpointStore } from "../store.ts";
import { changeRun, type State, stateOf } from "./state.ts";
import { sweepRun } from "./windows.ts";

type Methods =
  | "currentRun"
  | "getRun"
  | "getScope"
  | "createRun"
  | "transition"
  | "tune"
  | "newEpoch"
  | "raiseBackOff"
  | "halveBackOff"
  | "setWaiting"
  | "addMemoryPause"
  | "reservePlaces"
  | "takePlace";

export function runMethods(state: State): Pick<CheckpointStore, Methods> {
  const isThere = () => true;
  return {
    async currentRun(options = {}) {
      const run = state.lastRunId === null ? null : stateOf(state, state.lastRunId).run;
      return run !== null && options.openOnly === true && isFinished(run.status) ? null : run;
    },

    getRun: async (runId) => state.runs.get(runId)?.run ?? null,
    getScope: async (runId) => state.runs.get(runId)?.scope ?? null,

    async createRun(newRun) {
      const last = state.lastRunId === null ? null : stateOf(state, state.lastRunId).run;
      if (last !== null && !isFinished(last.status)) throw new RunInProgressError(last.runId);
      if (state.runs.has(newRun.runId)) throw new BrokenStateError(`a run ${newRun.runId} is there already`);
      const run = newRunValue(newRun);
      state.runs.set(run.runId, {
        run,
        scope: newRun.scope,
        epochEnds: new Map(),
        shelves: new Map(),
        kept: new Map(),
        errors: [],
        history: null,
        gaps: [],
        consumers: new Map(),
      });
      state.lastRunId = run.runId;
      return run;
    },

    async transition(runId, from, to, patch) {
      const sources = allowedSources(from, to);
      const isFrom = (status: typeof to) => sources.includes(status);
      const found = state.runs.get(runId);
      if (to === "succeeded" && sources.length > 0 && found !== undefined) sweepRun(found);
      return changeRun(
        state,
        runId,
        (run) => isFrom(run.status),
        () => ({ ...patchOf(patch), status: to }),
      );
    },

    tune: async (runId, change) =>
      changeRun(
        state,
        runId,
        (run) => !isFinished(run.status) && run.paceEpoch === (change.paceEpoch ?? run.paceEpoch),
        (run) => tunedFields(run, change),
      ),

    newEpoch: async (runId, change) =>
      changeRun(
        state,
        runId,
        (run) => canRenew(run, change),
        (run) => {
          stateOf(state, runId).epochEnds.set(run.epoch, run.folded);
          return newEpochOf(run, change);
        },
      ),

    async raiseBackOff(runId, { reason, notAfterMs, nowMs }) {
      let hasRisen = false;
      changeRun(
        state,
        runId,
        (run) => run.backOffAtMs < notAfterMs,
        (run) => {
          hasRisen = run.backOff < MAX_BACK_OFF;
          return {
            backOffAtMs: nowMs,
            backOffReason: shortenText(reason),
            ...(hasRisen && {
              backOff: Math.min(MAX_BACK_OFF, run.backOff * 2),
              paceEpoch: run.paceEpoch + 1,
              plannedDueMs: wholeMs(nowMs),
            }),
          };
        },
      );
      return hasRisen;
    },

    halveBackOff: async (runId, { notAfterMs, nowMs }) =>
      changeRun(
        state,
        runId,
        (run) => run.backOff > 1 && run.backOffAtMs < notAfterMs,
        (run) => ({ backOff: Math.max(1, run.backOff / 2), backOffAtMs: nowMs }),
      ) !== null,

    async setWaiting(runId, waiting) {
      const bounded = waiting === null ? null : { ...waiting, for: shortenText(waiting.for) };
      changeRun(state, runId, isThere, () => ({ waiting: bounded }));
    },

    async addMemoryPause(runId, nowMs) {
      changeRun(state, runId, isThere, (run) => ({ memoryPauses: run.memoryPauses + 1, lastMemoryPauseAtMs: nowMs }));
    },

    async reservePlaces(lease, { expectedMs, nextMs, paceEpoch }) {
      if (nextMs < expectedMs) throw new BrokenStateError(`the pace cannot go back from ${expectedMs} to ${nextMs}`);
      const after = changeRun(
        state,
        lease.runId,
        (run) => run.fence === lease.fence && run.plannedDueMs === expectedMs && run.paceEpoch === paceEpoch,
        () => ({ plannedDueMs: wholeMs(nextMs) }),
      );
      return after !== null;
    },

    async takePlace(runId, options) {
      const intervalMs = wholeMs(options.intervalMs);
      const found = stateOf(state, runId);
      const dueMs = Math.max(found.run.plannedDueMs, wholeMs(options.nowMs));
      found.run = { ...found.run, plannedDueMs: dueMs + intervalMs };
      return { dueMs, paceEpoch: found.run.paceEpoch };
    },
  };
}
