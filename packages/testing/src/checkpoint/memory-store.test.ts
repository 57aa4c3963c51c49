import { describe, expect, test } from "vitest";
import { aRun, RUN } from "./harness.ts";
import { describeStore } from "./store-suite.ts";
import { createMemoryStore } from "./memory-store.ts";
import { DEFAULT_PACE_ID } from "@firehose-backfill/checkpoint/pace";
import { createMemoryTable } from "./memory-table.ts";

describe.each([
  { name: "in memory", isToldTwice: false },
  { name: "in memory, every write sent twice", isToldTwice: true },
])("$name", ({ isToldTwice }) => {
  describeStore({ openTable: async () => createMemoryTable(), isToldTwice, histories: 250, looksEvery: 1 });
});

test("a store whose table cannot be reached does nothing", async () => {
  let isAway = false;
  const store = createMemoryStore({
    beforeCall: (name) => {
      if (isAway) throw new Error(`${name}: away`);
    },
  });
  await store.createRun(aRun());
  isAway = true;
  await expect(store.takeSlot(DEFAULT_PACE_ID, { intervalMs: 5, nowMs: 0 })).rejects.toThrow("update: away");
  isAway = false;
  expect(await store.getRun(RUN)).toMatchObject({ plannedDueMs: aRun().createdAtMs });
});
