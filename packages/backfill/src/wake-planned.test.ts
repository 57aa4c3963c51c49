import type { Run } from "@firehose-backfill/checkpoint/run";
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";
import { cursorAt } from "@firehose-backfill/source/cursor";
import { describe, expect, test } from "vitest";
import { FIVE, NOW, openWindow, storeWithRun } from "@firehose-backfill/testing/backfill/runs";
import { wakePlanned } from "./wake-planned.ts";

const APPLIED_TO = cursorAt(100, NOW + 1);
const clock = { now: () => NOW };

/** A running run: one window finished, a second one sent, and its slots reach `plannedMs` ahead. */
async function plannedRun(plannedMs: number): Promise<{ store: CheckpointStore; run: Run }> {
  const { store } = await storeWithRun({ BACKFILL_BATCH_DELAY_MS: "2000" });
  await store.transition("run", ["enqueued"], "running", {});
  const held = await store.acquireLease("run", { owner: "reader", ttlMs: 60_000, nowMs: NOW });
  if (held === null) throw new Error("the lease is free");
  const { lease } = held;
  for (const number of [1, 2]) {
    const { window } = openWindow(number, [null], { fence: lease.fence });
    await store.putWindow(lease, window);
    await store.moveCursor(lease, {
      window: number,
      generation: 1,
      readerCursor: window.to,
      startPosition: null,
      sourceState: null,
      target: null,
      keptSinceMs: null,
    });
  }
  const add = {
    received: 7,
    processed: FIVE.applied,
    stale: FIVE.stale,
    dead: 0,
    deadReasons: {},
    skipped: { collection: 2 },
  };
  await store.moveApplied(lease, {
    generation: 1,
    appliedWindowBefore: 0,
    appliedWindow: 1,
    appliedCursor: APPLIED_TO,
    lastFinishedAtMs: NOW,
    add,
  });
  const { plannedDueMs: expectedMs, paceVersion } = held.run;
  await store.reserveSlots(held.run.paceId, { expectedMs, nextMs: NOW + plannedMs, paceVersion });
  const run = await store.getRun("run");
  if (run === null) throw new Error("the run is there");
  return { store, run };
}

async function tune(store: CheckpointStore, run: Run, change: Partial<Run["throttle"]>): Promise<Run> {
  const tuned = await store.tune("run", {
    throttle: { ...run.throttle, ...change },
    profile: run.profile,
    sources: run.sources,
    record: { atMs: NOW, by: "tune", changes: {} },
    nowMs: NOW,
  });
  if (tuned === null) throw new Error("the run is open");
  return tuned;
}

describe("a faster pace wakes what is planned", () => {
  test.each([
    ["a shorter delay", { batchDelayMs: 500 }],
    ["no delay at all", { batchDelayMs: 0 }],
    ["larger batches", { batchSize: 50 }],
  ])("%s: a new generation from the applied cursor", async (_name, change) => {
    const { store, run } = await plannedRun(120_000);
    const woken = await wakePlanned({ store, clock, readsAtOnce: true }, run, await tune(store, run, change));
    expect(woken).toMatchObject({
      generation: 2,
      readerCursor: APPLIED_TO,
      appliedCursor: APPLIED_TO,
      plannedDueMs: NOW,
    });
    expect(woken.totals.received).toBe(7);
  });

  test.each([
    ["a slower pace", 120_000, { batchDelayMs: 4_000 }],
    ["the same pace in other portions", 120_000, { batchDelayMs: 4_000, batchSize: 10 }],
    ["what is no pace", 120_000, { maxMemoryMb: 700 }],
    ["little that is planned", 4_000, { batchDelayMs: 500 }],
  ])("%s: all stays", async (_name, plannedMs, change) => {
    const { store, run } = await plannedRun(plannedMs);
    const after = await wakePlanned({ store, clock, readsAtOnce: true }, run, await tune(store, run, change));
    expect(after).toMatchObject({ generation: 1, readerCursor: run.readerCursor });
  });

  test("a reader that comes once a minute goes on from where it is", async () => {
    const { store, run } = await plannedRun(120_000);
    const tuned = await tune(store, run, { batchDelayMs: 500 });
    expect(await wakePlanned({ store, clock }, run, tuned)).toMatchObject({
      generation: 1,
      readerCursor: run.readerCursor,
    });
  });

  test("while it pauses, what is planned is still applied", async () => {
    const { store, run } = await plannedRun(120_000);
    await store.transition("run", ["running"], "pausing", {});
    const tuned = await tune(store, run, { batchDelayMs: 500 });
    expect(await wakePlanned({ store, clock, readsAtOnce: true }, run, tuned)).toMatchObject({
      generation: 1,
      status: "pausing",
    });
  });

  test("if the reader advances the applied cursor in between, the run is read again", async () => {
    const { store, run } = await plannedRun(120_000);
    const tuned = await tune(store, run, { batchDelayMs: 500 });
    const stale = { ...tuned, appliedCursor: null };
    expect(await wakePlanned({ store, clock, readsAtOnce: true }, run, stale)).toMatchObject({
      generation: 2,
      readerCursor: APPLIED_TO,
    });
  });
});
