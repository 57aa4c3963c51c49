import type { Run } from "@firehose-backfill/checkpoint/run";
import { cursorAt } from "@firehose-backfill/source/cursor";
import { expect, test } from "vitest";
import { nextStatus, takeNextStatus } from "./next-status.ts";
import { NOW, storeWithRun } from "@firehose-backfill/testing/backfill/runs";

const NOTHING = {
  batches: 0,
  events: 0,
  bytes: 0,
  oldestSentAtMs: null,
  oldestDueMs: null,
  newestDueMs: null,
  traces: 0,
};
const SOMETHING = {
  batches: 1,
  events: 5,
  bytes: 1,
  oldestSentAtMs: NOW,
  oldestDueMs: null,
  newestDueMs: null,
  traces: 0,
};
const END = cursorAt(9, NOW);
const { run, store } = await storeWithRun();
const complete: Run = { ...run, status: "running", target: END, readerCursor: END, appliedCursor: END };

test.each([
  ["an enqueued run begins", { ...run, status: "enqueued" }, NOTHING, "running"],
  ["a pausing run waits for what is planned", { ...run, status: "pausing" }, SOMETHING, null],
  ["then it is paused", { ...run, status: "pausing" }, NOTHING, "paused"],
  ["a cancelling run is cancelled, whatever is planned", { ...run, status: "cancelling" }, SOMETHING, "cancelled"],
  ["a run has succeeded when everything up to its target is applied", complete, NOTHING, "succeeded"],
  ["not while a batch is outstanding", complete, SOMETHING, null],
  ["not while a window is not finished", { ...complete, registered: 1 }, NOTHING, null],
  ["not without a target", { ...complete, target: null }, NOTHING, null],
  ["not before its target", { ...complete, appliedCursor: cursorAt(8, NOW) }, NOTHING, null],
  ["a paused run stays", { ...run, status: "paused" }, NOTHING, null],
  ["an errored run stays", { ...run, status: "errored" }, NOTHING, null],
] as const)("%s", (_name, given, outstanding, expected) => {
  expect(nextStatus(given, outstanding)).toBe(expected);
});

test("what an operator did in between counts", async () => {
  await store.transition(run.runId, ["enqueued"], "running", {});
  await store.transition(run.runId, ["running"], "cancelling", {});
  const deps = { store, clock: { now: () => NOW, sleep: () => Promise.resolve() }, log: () => {} };
  const taken = await takeNextStatus(deps, complete, NOTHING);
  expect(taken.readsNot).toBe("run changed");
  expect((await store.getRun(run.runId))?.status).toBe("cancelling");
});
