import { describe, expect, test } from "vitest";
import { describeLedger } from "./conformance/ledger-suite.ts";
import { aRun, type Harness, RUN } from "./conformance/harness.ts";
import { describeReader } from "./conformance/reader-suite.ts";
import { describeRuns } from "./conformance/run-suite.ts";
import { createMemoryStore } from "./memory-store.ts";

const harness: Harness = { open: async () => createMemoryStore(), isToldTwice: false, histories: 2000 };

describe("in memory", () => {
  describeRuns(harness);
  describeReader(harness);
  describeLedger(harness);
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
