/** Errors, gaps and consumers in memory. Mirrors dynamo/notes.ts. */
import { boundError, boundGap, isSameGap, lastErrors, MAX_GAPS, whoIsHeard } from "../note-values.ts";
import { assertId } from "../run-values.ts";
import type { CheckpointStore } from "../store.ts";
import type { State } from "./state.ts";

type Methods =
  | "addGap"
  | "listGaps"
  | "addError"
  | "listErrors"
  | "reportConsumer"
  | "listConsumers"
  | "putHistory"
  | "getHistory";

export function noteMethods(state: State): Pick<CheckpointStore, Methods> {
  return {
    async addGap(runId, gap) {
      const run = state.runs.get(runId);
      if (run === undefined || run.gaps.some((it) => isSameGap(it, gap))) return;
      run.gaps = [...run.gaps, boundGap(gap)].slice(-MAX_GAPS);
    },
    listGaps: async (runId) => state.runs.get(runId)?.gaps ?? [],

    async addError(runId, error) {
      const run = state.runs.get(runId);
      if (run === undefined) return;
      const { kind } = error;
      const before = kind === undefined ? undefined : run.errors.find((it) => it.kind === kind);
      const times = kind === undefined ? {} : { times: (before?.times ?? 0) + 1 };
      run.errors = lastErrors([...run.errors.filter((it) => it !== before), { ...boundError(error), ...times }]);
    },
    listErrors: async (runId) => state.runs.get(runId)?.errors ?? [],

    async reportConsumer(runId, report) {
      assertId("consumer", report.id);
      state.runs.get(runId)?.consumers.set(report.id, report);
    },

    async listConsumers(runId) {
      const consumers = state.runs.get(runId)?.consumers ?? new Map<string, never>();
      const { heard, silent } = whoIsHeard([...consumers.values()], ({ atMs }) => atMs);
      for (const { id } of silent) consumers.delete(id);
      return heard;
    },

    async putHistory(runId, history) {
      const run = state.runs.get(runId);
      if (run !== undefined) run.history = history;
    },
    getHistory: async (runId) => state.runs.get(runId)?.history ?? null,
  };
}
