/** A process crashes at each of the writes of one call, and another process continues. */
import { describe, expect, test } from "vitest";
import {
  aRun,
  finish,
  advanceAll,
  finishOne,
  keyOf,
  leased,
  NOW,
  register,
  RUN,
  take,
  theRun,
} from "@firehose-backfill/testing/checkpoint/harness";
import { crashAtWrite, hasEnded, inSteps } from "@firehose-backfill/testing/checkpoint/faulty-tables";
import { aroundCalls } from "@firehose-backfill/testing/checkpoint/around-calls";
import { createStore } from "../create-store.ts";
import { DEFAULT_PACE_ID } from "../pace.ts";
import type { CheckpointStore } from "../store.ts";
import { createMemoryTable } from "@firehose-backfill/testing/checkpoint/memory-table";
import type { Table } from "../table/table.ts";

const AFTER = { applied: 3, stale: 2, dead: 0 };
const ALL_WRITES = Array.from({ length: 12 }, (_, at) =>
  (["before", "after"] as const).map((when) => ({ at, when })),
).flat();

/** Runs a process that crashes at a write. true: it crashed there; false: it finished without that write. */
async function crash(
  table: Table,
  crash_: { at: number; when: "before" | "after" },
  work: (store: CheckpointStore) => Promise<unknown>,
): Promise<boolean> {
  try {
    await work(createStore(crashAtWrite(table, crash_)));
    return false;
  } catch (error) {
    if (hasEnded(error)) return true;
    throw error;
  }
}

describe("a crash", () => {
  test("while a run is created leaves none, or the new one", async () => {
    let crashes = 0;
    for (const at of ALL_WRITES) {
      const table = createMemoryTable();
      const hasCrashed = await crash(table, at, (store) => store.createRun(aRun({ runId: "first" })));
      crashes += hasCrashed ? 1 : 0;
      const store = createStore(table);
      const current = await store.currentRun();
      const [second] = await Promise.allSettled([store.createRun(aRun({ runId: "second" }))]);
      expect(second).toMatchObject(
        current === null ? { value: { runId: "second" } } : { reason: { name: "RunInProgressError", runId: "first" } },
      );
      const run = await store.currentRun({ openOnly: true });
      expect(run?.runId).toBe(current?.runId ?? "second");
      expect(await store.getScope(run?.runId ?? "")).toEqual(aRun().scope);
      if (!hasCrashed) break;
    }
    expect(crashes).toBe(10);
  });

  test("while a run is finished leaves it open or finished, and the next one can begin", async () => {
    let crashes = 0;
    for (const at of ALL_WRITES) {
      const table = createMemoryTable();
      const store = createStore(table);
      await store.createRun(aRun());
      const hasCrashed = await crash(table, at, (crashing) => crashing.transition(RUN, ["running"], "cancelled", {}));
      crashes += hasCrashed ? 1 : 0;
      const { status } = await theRun(store);
      expect(await store.currentRun({ openOnly: true })).toEqual(status === "cancelled" ? null : await theRun(store));
      await store.transition(RUN, ["running"], "cancelled", {});
      expect(await store.createRun(aRun({ runId: "next" }))).toMatchObject({ runId: "next" });
      if (!hasCrashed) break;
    }
    // The three writes are the status, the list of past runs, and the register.
    expect(crashes).toBe(6);
  });

  test("issue 14.1: while a second run is created leaves the first one alone, and the second one open or not there", async () => {
    let crashes = 0;
    for (const at of ALL_WRITES) {
      const table = createMemoryTable();
      const store = createStore(table);
      await store.createRun(aRun({ runId: "first" }));
      const second = aRun({ runId: "second", about: "another", throttle: { ...aRun().throttle, batchSize: 50 } });
      const hasCrashed = await crash(table, at, (crashing) => crashing.createRun(second));
      crashes += hasCrashed ? 1 : 0;
      const open = await createStore(table).openRuns();
      expect(open.map(({ runId }) => runId)).toEqual(open.length === 1 ? ["first"] : ["first", "second"]);
      // In every case, the pace is that of the first run.
      for (const run of open) expect(run.throttle).toEqual(aRun().throttle);
      if (open.length === 1) await store.createRun({ ...second, runId: "third" });
      expect(await createStore(table).openRuns()).toHaveLength(2);
      if (!hasCrashed) break;
    }
    expect(crashes).toBe(6);
  });

  test("while a run is created leaves the pace as the new run says, once it runs", async () => {
    let crashes = 0;
    for (const at of ALL_WRITES) {
      const table = createMemoryTable();
      const store = createStore(table);
      await store.createRun(aRun({ runId: "before" }));
      await store.raiseBackOff(DEFAULT_PACE_ID, { reason: "latency", notAfterMs: NOW, nowMs: NOW });
      const before = await theRun(store, "before");
      await store.transition("before", ["running"], "cancelled", { finishedAtMs: NOW });
      const throttle = { ...aRun().throttle, batchSize: 9 };
      const next = aRun({ runId: "next", throttle, createdAtMs: NOW + 5 });
      const hasCrashed = await crash(table, at, (crashing) => crashing.createRun(next));
      crashes += hasCrashed ? 1 : 0;
      const another = createStore(table);
      if ((await another.currentRun({ openOnly: true })) === null) await another.createRun({ ...next, runId: "third" });
      const run = await another.currentRun({ openOnly: true });
      expect(run).toMatchObject({ throttle, backOff: 1, tunes: [], plannedDueMs: NOW + 5 });
      await another.takeSlot(DEFAULT_PACE_ID, { intervalMs: 100, nowMs: NOW + 5 });
      const now = await theRun(another, run?.runId);
      expect(now).toMatchObject({ throttle, plannedDueMs: NOW + 105 });
      // Slots of the earlier run are not valid any more, and the earlier run now shows the current values of its pace.
      expect(now.paceVersion).toBeGreaterThan(before.paceVersion);
      expect(await theRun(another, "before")).toMatchObject({ status: "cancelled", throttle });
      if (!hasCrashed) break;
    }
    expect(crashes).toBe(10);
  });

  test("between a new generation and its pace gives no slot away twice, and the next reader begins the pace anew", async () => {
    let crashes = 0;
    for (const at of ALL_WRITES) {
      const table = createMemoryTable();
      const store = createStore(table);
      const { run } = await leased(store);
      const far = { expectedMs: run.plannedDueMs, nextMs: NOW + 3_600_000, paceVersion: run.paceVersion };
      expect(await store.reserveSlots(run.paceId, far)).toBe(true);
      const change = { generationBefore: run.generation, cursor: run.appliedCursor, nowMs: NOW + 10 };
      const hasCrashed = await crash(table, at, (crashing) => crashing.newGeneration(RUN, change));
      crashes += hasCrashed ? 1 : 0;
      const after = await theRun(store);
      const isRenewed = after.generation > run.generation;
      // The pace never gets a new version before the run has its new generation, so the slots of a generation that continues
      // stay valid.
      expect(isRenewed || (after.paceVersion === 1 && after.plannedDueMs === far.nextMs)).toBe(true);
      const { run: next } = await take(createStore(table), { owner: "reader-b", nowMs: NOW + 60_000 });
      expect(next.paceVersion > run.paceVersion).toBe(isRenewed);
      expect(next.plannedDueMs <= NOW + 60_000).toBe(isRenewed);
      // An earlier reader cannot continue.
      expect(await store.reserveSlots(run.paceId, { ...far, expectedMs: far.nextMs })).toBe(!isRenewed);
      // This happens once. The next lease does not change slots that were reserved since.
      const { plannedDueMs, paceVersion } = await theRun(store);
      const slots = { expectedMs: plannedDueMs, nextMs: plannedDueMs + 5_000, paceVersion };
      expect(await store.reserveSlots(run.paceId, slots)).toBe(true);
      const { run: third } = await take(store, { owner: "reader-c", nowMs: NOW + 120_000 });
      expect(third).toMatchObject({ paceVersion, plannedDueMs: slots.nextMs });
      if (!hasCrashed) break;
    }
    expect(crashes).toBe(6);
  });

  test("while a redriven batch is corrected counts it once", async () => {
    let crashes = 0;
    for (const at of ALL_WRITES) {
      const table = createMemoryTable();
      const store = createStore(table);
      const { lease } = await leased(store);
      const window = await finishOne(store, lease, 1, ["dead", "dead"]);
      await store.sweep(await theRun(store));
      const redrive = async (by: CheckpointStore, batch: number): Promise<void> => {
        const key = keyOf(window, batch);
        const entry = await finish(by, key, "applied", { counts: AFTER, redriven: true });
        if (entry.correctionPending) await by.correct(key);
      };
      const hasCrashed = await crash(table, at, (crashing) => redrive(crashing, 0));
      crashes += hasCrashed ? 1 : 0;
      // First another batch is corrected; then the message of the crashed process is delivered again, twice.
      for (const batch of [1, 0, 0]) await redrive(store, batch);
      expect((await theRun(store)).totals).toMatchObject({ received: 14, processed: 10, stale: 4, dead: 0 });
      expect(await store.getEntry(keyOf(window, 0))).toMatchObject({ outcome: "applied", correctionPending: false });
      if (!hasCrashed) break;
    }
    expect(crashes).toBe(10);
  });

  test("while windows are swept loses neither a dead entry nor a correction", async () => {
    let crashes = 0;
    for (const at of ALL_WRITES) {
      const table = createMemoryTable();
      const store = createStore(table);
      const { lease } = await leased(store);
      const window = await register(store, lease, { batches: 3, events: 15 });
      await finish(store, keyOf(window, 0));
      for (const batch of [1, 2]) await finish(store, keyOf(window, batch), "dead");
      await finish(store, keyOf(window, 1), "applied", { counts: AFTER, redriven: true });
      await advanceAll(store, lease);
      const run = await theRun(store);
      const hasCrashed = await crash(table, at, (crashing) => crashing.sweep(run));
      crashes += hasCrashed ? 1 : 0;
      expect(await store.sweep(run)).toBe(true);
      await finish(store, keyOf(window, 2), "applied", { counts: AFTER, redriven: true });
      await store.correct(keyOf(window, 2));
      expect((await theRun(store)).totals).toMatchObject({ processed: 15, stale: 5, dead: 0 });
      expect(await store.getEntry(keyOf(window, 0))).toBeNull();
      if (!hasCrashed) break;
    }
    expect(crashes).toBeGreaterThan(8);
  });
});

test("a process that was stopped during another's whole correction does not correct again", async () => {
  const table = createMemoryTable();
  const store = createStore(table);
  const { lease } = await leased(store);
  const window = await register(store, lease, { batches: 6, events: 30 });
  const keys = Array.from({ length: 6 }, (_, batch) => keyOf(window, batch));
  for (const key of keys) await finish(store, key, "dead");
  await advanceAll(store, lease);
  await store.sweep(await theRun(store));
  // At each of its requests in turn (two reads, three writes, and after them), this process stops while another one does the
  // whole correction.
  for (const [asleepAt, key] of keys.entries()) {
    await finish(store, key, "applied", { counts: AFTER, redriven: true });
    let requests = 0;
    const stepped = inSteps(table, async (work) => {
      if (requests === asleepAt) await store.correct(key);
      requests += 1;
      return work();
    });
    await createStore(stepped).correct(key);
    const corrected = asleepAt + 1;
    expect((await theRun(store)).totals).toMatchObject({
      processed: 5 * corrected,
      stale: 2 * corrected,
      dead: 30 - 5 * corrected,
    });
    expect(await store.getEntry(key)).toMatchObject({ correctionPending: false });
  }
});

/** Not with all connections, because a stand-in on a busy machine accepts them slowly. */
const AT_ONCE = 30;

test("a sweep does a bounded share at a time, and leaves to the table's TTL what it may", async () => {
  const batches = 510;
  for (const hasTtl of [false, true]) {
    const store = createStore(createMemoryTable(), { hasTtl, now: () => NOW });
    const { lease } = await leased(store);
    const window = await register(store, lease, { batches, events: 5 * batches });
    for (let first = 0; first < batches; first += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => finish(store, keyOf(window, first + index))));
    }
    const run = await advanceAll(store, lease);
    expect(run).toMatchObject({ appliedWindow: 1, totals: { processed: 5 * batches } });
    expect(await store.sweep(await theRun(store))).toBe(false);
    expect(await store.getEntry(keyOf(window, batches - 1))).toMatchObject({ outcome: "applied" });
    expect(await store.sweep(await theRun(store))).toBe(true);
    const left = await Promise.all([0, batches - 1].map((batch) => store.getEntry(keyOf(window, batch))));
    expect(left.map((entry) => entry !== null)).toEqual([hasTtl, hasTtl]);
  }
});

test("issue 19.3: a sweep removes applied entries 25 with one request, and each other one by itself", async () => {
  const calls: string[] = [];
  const counted = aroundCalls(createMemoryTable(), (name, call) => {
    if (name.startsWith("delete")) calls.push(name);
    return call();
  });
  const store = createStore(counted, { now: () => NOW });
  const { lease } = await leased(store);
  const batches = 60;
  const window = await register(store, lease, { batches, events: 5 * batches });
  for (let number = 0; number < batches - 1; number += 1) await finish(store, keyOf(window, number));
  await store.beginAttempt(keyOf({ ...window, fence: window.fence - 1 }, 0));
  await finish(store, keyOf(window, batches - 1), "dead");
  await advanceAll(store, lease);
  calls.length = 0;
  await store.sweep(await theRun(store));
  // By themselves: the entry without an outcome, and the window.
  expect(calls.toSorted()).toEqual(["delete", "delete", "deleteMany", "deleteMany", "deleteMany"]);
  expect(await store.getEntry(keyOf(window, 0))).toBeNull();
  expect(await store.getEntry(keyOf(window, batches - 1))).toMatchObject({ outcome: "dead" });
});
