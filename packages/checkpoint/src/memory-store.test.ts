import { describe, expect, test } from "vitest";
import { describeDeadEvents } from "./conformance/dead-events-suite.ts";
import { describeLedger } from "./conformance/ledger-suite.ts";
import { aRun, type Harness, RUN, type Step } from "./conformance/harness.ts";
import { describeReader } from "./conformance/reader-suite.ts";
import { describeSchedules } from "./conformance/schedule-suite.ts";
import { describeRuns } from "./conformance/run-suite.ts";
import { createMemoryStore } from "./memory-store.ts";
import type { CheckpointStore } from "./store.ts";

const harness: Harness = {
  open: async () => createMemoryStore(),
  async openShared() {
    const shared = createMemoryStore();
    return (step) => (step === undefined ? shared : inSteps(shared, step));
  },
  isToldTwice: false,
  histories: 500,
  looksEvery: 1,
};

describe("in memory", () => {
  describeRuns(harness);
  describeReader(harness);
  describeLedger(harness);
  describeDeadEvents(harness);
  describeSchedules(harness);
});

test("a store that is away does nothing", async () => {
  let isAway = false;
  const store = createMemoryStore({
    beforeCall: (name) => {
      if (isAway) throw new Error(`${name}: away`);
    },
  });
  await store.createRun(aRun());
  isAway = true;
  await expect(store.takePlace(RUN, { intervalMs: 5, nowMs: 0 })).rejects.toThrow("takePlace: away");
  isAway = false;
  expect(await store.getRun(RUN)).toMatchObject({ plannedDueMs: aRun().createdAtMs });
});

/** Each call is a step that can be made to wait, and to crash before it is made or before its answer has come. */
function inSteps(store: CheckpointStore, step: Step): CheckpointStore {
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (...args: unknown[]): Promise<unknown> =>
        step(async (): Promise<unknown> => Reflect.apply(method, target, args));
    },
  });
}
