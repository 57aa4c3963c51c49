import { describe, expect, test } from "vitest";
import { describeLedger } from "./conformance/ledger-suite.ts";
import { aRun, type Harness, RUN, type Steps } from "./conformance/harness.ts";
import { describeReader } from "./conformance/reader-suite.ts";
import { describeSchedules } from "./conformance/schedule-suite.ts";
import { describeRuns } from "./conformance/run-suite.ts";
import { withBeforeCall } from "./before-call.ts";
import { createMemoryStore } from "./memory-store.ts";
import type { CheckpointStore } from "./types.ts";

const harness: Harness = {
  open: async () => createMemoryStore(),
  async openShared() {
    const shared = createMemoryStore();
    return (steps) => (steps === undefined ? shared : inSteps(shared, steps));
  },
  isToldTwice: false,
  histories: 1000,
};

describe("in memory", () => {
  describeRuns(harness);
  describeReader(harness);
  describeLedger(harness);
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
function inSteps(store: CheckpointStore, { before, after }: Steps): CheckpointStore {
  return new Proxy(withBeforeCall(store, before), {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return async (...args: unknown[]): Promise<unknown> => {
        const answer: unknown = await Reflect.apply(method, target, args);
        await after();
        return answer;
      };
    },
  });
}
