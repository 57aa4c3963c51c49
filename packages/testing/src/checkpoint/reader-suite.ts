/** Tests what the reader uses: lease, pace, windows, the applied cursor. A reader that has lost its lease can change nothing. */
import { cursorAt } from "@firehose-backfill/source/cursor";
import { describe, expect, test } from "vitest";
import {
  anAppliedMove,
  aMove,
  aRun,
  aWindow,
  COUNTS,
  finish,
  advanceAll,
  type Harness,
  keyOf,
  leased,
  NOW,
  OWNER,
  positionOf,
  register,
  RUN,
  take,
  theRun,
} from "./harness.ts";
import { DEFAULT_PACE_ID } from "@firehose-backfill/checkpoint/pace";

const TICK = { atMs: NOW, durationMs: 5, endedBecause: "read-ahead full" };

export function describeReader({ open, isToldTwice }: Harness): void {
  describe("the lease", () => {
    test("is held by one, and every success raises the fence", async () => {
      const store = await open();
      const { lease, run } = await leased(store);
      expect(lease.fence).toBe(isToldTwice ? 2 : 1);
      expect(run).toMatchObject({ fence: lease.fence, lease: { owner: OWNER, expiresAtMs: NOW + 60_000 } });
      const other = { owner: "reader-b", ttlMs: 60_000 };
      expect(await store.acquireLease(RUN, { ...other, nowMs: NOW + 59_999 })).toBeNull();
      const taken = await store.acquireLease(RUN, { ...other, nowMs: NOW + 60_000 });
      expect(taken?.lease.fence).toBeGreaterThan(lease.fence);
      expect(await store.acquireLease("no-such-run", { ...other, nowMs: NOW })).toBeNull();
    });

    test("is won by one of many", async () => {
      const store = await open();
      await store.createRun(aRun());
      const owners = ["a", "b", "c", "d"];
      const results = await Promise.all(
        owners.map((owner) => store.acquireLease(RUN, { owner, ttlMs: 1000, nowMs: NOW })),
      );
      expect(results.filter((got) => got !== null)).toHaveLength(1);
    });

    test("is taken again by its own owner, at a higher fence", async () => {
      const store = await open();
      const { lease } = await leased(store);
      const again = await take(store);
      expect(again.lease.fence).toBeGreaterThan(lease.fence);
      expect(await store.renewLease(lease, { ttlMs: 1000, nowMs: NOW })).toBe(false);
    });

    test("is renewed by its holder, also when it has expired and nobody took it", async () => {
      const store = await open();
      const { lease } = await leased(store);
      expect(await store.renewLease(lease, { ttlMs: 60_000, nowMs: NOW + 70_000 })).toBe(true);
      expect(await store.acquireLease(RUN, { owner: "reader-b", ttlMs: 1, nowMs: NOW + 129_999 })).toBeNull();
      await take(store, { owner: "reader-b", nowMs: NOW + 130_000 });
      expect(await store.renewLease(lease, { ttlMs: 60_000, nowMs: NOW + 130_001 })).toBe(false);
    });

    test("is given back with a report, once", async () => {
      const store = await open();
      const { lease } = await leased(store);
      await store.releaseLease(lease, {
        tick: TICK,
        nextTickAtMs: NOW + 60_000,
        queueEmptySinceMs: NOW - 1,
        quiet: { sinceMs: NOW - 2, ledger: "2" },
      });
      expect(await theRun(store)).toMatchObject({
        lease: null,
        lastTick: TICK,
        nextTickAtMs: NOW + 60_000,
        queueEmptySinceMs: NOW - 1,
        quiet: { sinceMs: NOW - 2, ledger: "2" },
        fence: lease.fence,
      });
      expect(await store.renewLease(lease, { ttlMs: 1000, nowMs: NOW })).toBe(false);
      const { lease: next } = await take(store, { owner: "reader-b" });
      await store.releaseLease(lease, {
        tick: { ...TICK, endedBecause: "zombie" },
        nextTickAtMs: null,
        queueEmptySinceMs: null,
        quiet: null,
      });
      expect(await theRun(store)).toMatchObject({ lease: { owner: "reader-b" }, lastTick: TICK, fence: next.fence });
    });
  });

  test("a reader that was stopped until its lease expired is refused by every fenced write", async () => {
    const store = await open();
    const { lease: old } = await leased(store);
    const window = await register(store, old, { batches: 0, events: 0 });
    const { lease: next } = await take(store, { owner: "reader-b", nowMs: NOW + 60_000 });
    await store.putWindow(next, aWindow(next, { number: 2, received: 99 }));
    const before = await theRun(store);

    expect(await store.renewLease(old, { ttlMs: 60_000, nowMs: NOW })).toBe(false);
    expect(await store.putWindow(old, aWindow(old, { number: 2 }))).toBe(false);
    expect(await store.moveCursor(old, aMove(2))).toBe(false);
    expect(await store.noteStream(old, { target: positionOf(1), sourceState: "other" })).toBe(false);
    const add = { received: 14, processed: 0, stale: 0, dead: 0, deadReasons: {}, skipped: {} };
    expect(await store.moveApplied(old, anAppliedMove(add, { appliedCursor: window.to }))).toBeNull();
    await store.releaseLease(old, { tick: TICK, nextTickAtMs: 1, queueEmptySinceMs: null, quiet: null });

    expect(await theRun(store)).toEqual(before);
    expect(await store.moveCursor(next, aMove(2))).toBe(true);
    expect((await store.openWindows(await theRun(store), 10)).map((it) => it.window.received)).toEqual([14, 99]);
  });

  describe("the pace", () => {
    test("is reserved from what was read, and never backwards", async () => {
      const store = await open();
      await leased(store);
      const slots = { expectedMs: NOW, nextMs: NOW + 4000, paceVersion: 1 };
      expect(await store.reserveSlots(DEFAULT_PACE_ID, { ...slots, expectedMs: NOW - 1 })).toBe(false);
      expect(await store.reserveSlots(DEFAULT_PACE_ID, { ...slots, paceVersion: 2 })).toBe(false);
      expect(await store.reserveSlots(DEFAULT_PACE_ID, slots)).toBe(true);
      expect(await theRun(store)).toMatchObject({ plannedDueMs: NOW + 4000 });
      expect(await store.reserveSlots(DEFAULT_PACE_ID, slots)).toBe(false);
      await expect(
        store.reserveSlots(DEFAULT_PACE_ID, { expectedMs: NOW + 4000, nextMs: NOW, paceVersion: 1 }),
      ).rejects.toMatchObject({
        name: "BrokenStateError",
      });
      expect(await theRun(store)).toMatchObject({ plannedDueMs: NOW + 4000 });
    });

    test("never reserves a slot twice, also if a reader has lost the lease meanwhile", async () => {
      const store = await open();
      await leased(store);
      const { run } = await take(store, { owner: "reader-b", nowMs: NOW + 60_000 });
      // The earlier reader registers no window any more, so its slots stay unused.
      const slots = { expectedMs: run.plannedDueMs, nextMs: NOW + 5, paceVersion: run.paceVersion };
      expect(await store.reserveSlots(DEFAULT_PACE_ID, slots)).toBe(true);
      expect(await store.reserveSlots(DEFAULT_PACE_ID, { ...slots, nextMs: NOW + 7 })).toBe(false);
      const { plannedDueMs } = await theRun(store);
      expect(plannedDueMs).toBe(NOW + 5);
      const next = { ...slots, expectedMs: plannedDueMs, nextMs: NOW + 9 };
      expect(await store.reserveSlots(DEFAULT_PACE_ID, next)).toBe(true);
    });

    test("gives a late batch the slot after all others, or a slot now if no later one is reserved", async () => {
      const store = await open();
      await store.createRun(aRun());
      const first = await store.takeSlot(DEFAULT_PACE_ID, { intervalMs: 2000, nowMs: NOW + 500 });
      const second = await store.takeSlot(DEFAULT_PACE_ID, { intervalMs: 400, nowMs: NOW + 600 });
      const { plannedDueMs } = await theRun(store);
      const dues = [first.dueMs, second.dueMs, plannedDueMs];
      // If the answer to a reservation is lost, the slot stays unused. Batches become later, never earlier.
      expect(dues).toEqual(isToldTwice ? dues : [NOW + 500, NOW + 2500, NOW + 2900]);
      expect(first.dueMs).toBeGreaterThanOrEqual(NOW + 500);
      expect(second.dueMs).toBeGreaterThanOrEqual(first.dueMs + 2000);
      expect(plannedDueMs).toBeGreaterThanOrEqual(second.dueMs + 400);
      await expect(store.takeSlot("no-such-pace", { intervalMs: 1, nowMs: NOW })).rejects.toMatchObject({
        name: "PaceNotFoundError",
      });
    });

    test("gives each slot to one batch, even if several ask at the same time", async () => {
      const store = await open();
      await leased(store);
      const asked = Array.from({ length: 12 }, (_, index) =>
        store.takeSlot(DEFAULT_PACE_ID, { intervalMs: 100, nowMs: NOW + 50 + (index % 3) }),
      );
      const reserved = store.reserveSlots(DEFAULT_PACE_ID, { expectedMs: NOW, nextMs: NOW + 10_000, paceVersion: 1 });
      const dues = (await Promise.all(asked)).map(({ dueMs }) => dueMs).sort((a, b) => a - b);
      const distances = dues.slice(1).map((due, index) => due - (dues[index] ?? 0));
      expect(Math.min(...distances)).toBeGreaterThanOrEqual(100);
      const { plannedDueMs } = await theRun(store);
      expect(plannedDueMs).toBeGreaterThanOrEqual((dues.at(-1) ?? 0) + 100);
      expect(dues[0]).toBeGreaterThanOrEqual((await reserved) ? NOW + 10_000 : NOW + 50);
    });

    test("holds whole milliseconds, so that what was read can be compared", async () => {
      const store = await open();
      await leased(store);
      await store.takeSlot(DEFAULT_PACE_ID, { intervalMs: 333.333, nowMs: NOW + 0.25 });
      const { plannedDueMs } = await theRun(store);
      expect(plannedDueMs % 1).toBe(0);
      expect(
        await store.reserveSlots(DEFAULT_PACE_ID, {
          expectedMs: plannedDueMs,
          nextMs: plannedDueMs + 0.5,
          paceVersion: 1,
        }),
      ).toBe(true);
      expect(await theRun(store)).toMatchObject({ plannedDueMs: plannedDueMs + 1 });
    });
  });

  describe("a window", () => {
    test("is registered by the move of the cursor, in order, once", async () => {
      const store = await open();
      const { lease } = await leased(store);
      const window = aWindow(lease);
      expect(await store.putWindow(lease, window)).toBe(true);
      expect(await store.openWindows(await theRun(store), 10)).toEqual([]);
      expect(await store.moveCursor(lease, aMove(2))).toBe(false);
      expect(await store.moveCursor(lease, aMove(1, { generation: 2 }))).toBe(false);
      const move = aMove(1, { target: positionOf(7), sourceState: "moved", keptSinceMs: NOW - 9 });
      expect(await store.moveCursor(lease, move)).toBe(true);
      expect(await store.moveCursor(lease, move)).toBe(true);
      const run = await theRun(store);
      expect(run).toMatchObject({
        registered: 1,
        appliedWindow: 0,
        readerCursor: positionOf(1),
        appliedCursor: null,
        startPosition: positionOf(0),
        sourceState: "moved",
        sourceMoved: false,
        target: positionOf(7),
        keptSinceMs: NOW - 9,
      });
      expect(await store.openWindows(run, 10)).toEqual([{ window, entries: [] }]);
    });

    test("keeps the token of a cursor and the state of the source whole, up to 2 KB each", async () => {
      const store = await open();
      const { lease } = await leased(store);
      const text = "ä".repeat(1_024);
      const window = aWindow(lease, { to: { ordinal: 7, timeMs: null, token: text } });
      await store.putWindow(lease, window);
      expect(await store.moveCursor(lease, aMove(1, { readerCursor: window.to, sourceState: text }))).toBe(true);
      const run = await theRun(store);
      expect(run).toMatchObject({ readerCursor: window.to, sourceState: text });
      expect(await store.openWindows(run, 1)).toEqual([{ window, entries: [] }]);

      const refused = expect.objectContaining({ name: "BrokenStateError" });
      const tooLong = { readerCursor: { ordinal: 8, timeMs: null, token: `${text}.` } };
      await expect(store.moveCursor(lease, aMove(2, tooLong))).rejects.toEqual(refused);
      await expect(store.noteStream(lease, { sourceState: `${text}.` })).rejects.toEqual(refused);
      expect(await theRun(store)).toEqual(run);
    });

    test("cannot move the cursor back within a generation", async () => {
      const store = await open();
      const { lease } = await leased(store);
      await register(store, lease);
      const back = aMove(2, { readerCursor: cursorAt(99, NOW) });
      await expect(store.moveCursor(lease, back)).rejects.toMatchObject({ name: "BrokenStateError" });
      expect(await theRun(store)).toMatchObject({ registered: 1, readerCursor: positionOf(1) });
    });

    test("that is missing fails the run, unless the applied cursor is past it meanwhile", async () => {
      const store = await open();
      const { lease } = await leased(store);
      await store.moveCursor(lease, aMove(1));
      await expect(store.openWindows(await theRun(store), 10)).rejects.toMatchObject({ name: "BrokenStateError" });
      const stale = await theRun(store);
      const add = { received: 0, processed: 0, stale: 0, dead: 0, deadReasons: {}, skipped: {} };
      await store.moveApplied(lease, anAppliedMove(add));
      expect(await store.openWindows(stale, 10)).toEqual([]);
      expect(await store.openWindows({ ...stale, runId: "no-such-run" }, 10)).toEqual([]);
    });

    test("shows the entries of its own fence alone, in order, as many windows as asked for", async () => {
      const store = await open();
      const { lease: old } = await leased(store);
      await finish(store, keyOf(aWindow(old), 0));
      const { lease } = await take(store, { owner: "reader-b", nowMs: NOW + 60_000 });
      const windows = [await register(store, lease), await register(store, lease, { number: 2 })];
      for (const window of windows) for (const batch of [1, 0]) await store.beginAttempt(keyOf(window, batch));
      await finish(store, keyOf(aWindow(lease, { number: 3 }), 0));
      const run = await theRun(store);
      const shown = await store.openWindows(run, 10);
      expect(shown.map((it) => it.window)).toEqual(windows);
      expect(shown.map((it) => it.entries.map(({ key }) => key))).toEqual(
        windows.map((window) => [keyOf(window, 0), keyOf(window, 1)]),
      );
      expect((await store.openWindows(run, 1)).map((it) => it.window)).toEqual([windows[0]]);
    });

    test("keeps what the reader learned without one", async () => {
      const store = await open();
      const { lease } = await leased(store);
      expect(await store.noteStream(lease, { generation: 1, sourceState: "learned" })).toBe(true);
      expect(await store.noteStream(lease, { target: positionOf(4) })).toBe(true);
      expect(await store.noteStream(lease, { generation: 2, sourceState: "of another generation" })).toBe(false);
      expect(await theRun(store)).toMatchObject({
        sourceState: "learned",
        target: positionOf(4),
        registered: 0,
      });
    });
  });

  describe("a move of the applied cursor", () => {
    test("moves the applied cursor and adds the counts, once", async () => {
      const store = await open();
      const { lease } = await leased(store);
      const window = await register(store, lease);
      await register(store, lease, { number: 2, batches: 0, events: 0, received: 3, skipped: { did: 3 } });
      await finish(store, keyOf(window, 0));
      expect(await advanceAll(store, lease)).toMatchObject({ appliedWindow: 0 });
      await finish(store, keyOf(window, 1), "dead");
      const run = await theRun(store);
      const applied = {
        generation: 1,
        appliedWindowBefore: 0,
        appliedWindow: 2,
        appliedCursor: positionOf(2),
        lastFinishedAtMs: NOW + 8,
        add: {
          received: 17,
          processed: 5,
          stale: 1,
          dead: 5,
          deadReasons: { float: 2, depth: 3 },
          skipped: { collection: 4, did: 3 },
        },
      };
      const after = await store.moveApplied(lease, applied);
      expect(after).toEqual({
        ...run,
        appliedWindow: 2,
        appliedCursor: positionOf(2),
        lastFinishedAtMs: NOW + 8,
        totals: applied.add,
      });
      await store.moveApplied(lease, applied);
      expect(await theRun(store)).toEqual(after);
      expect(await store.moveApplied(lease, { ...applied, appliedWindowBefore: 2, appliedWindow: 3 })).toBeNull();
      expect(await store.moveApplied({ ...lease, runId: "no-such-run" }, applied)).toBeNull();
    });

    test("counts reasons beyond the fourth as other, and loses none", async () => {
      const store = await open();
      const { lease } = await leased(store);
      for (let number = 1; number <= 3; number += 1) {
        const skipped = Object.fromEntries(
          Array.from({ length: 12 }, (_, index) => [`reason ${number * 100 + index} ${"x".repeat(200)}`, 1]),
        );
        await register(store, lease, { number, batches: 0, events: 0, received: 12, skipped });
        await advanceAll(store, lease);
      }
      const { totals } = await theRun(store);
      expect(Object.keys(totals.skipped)).toHaveLength(5);
      expect(Object.values(totals.skipped).reduce((sum, count) => sum + count, 0)).toBe(totals.received);
      expect(totals.skipped).toMatchObject({ other: 32 });
    });
  });

  test("entries with another fence or generation are not counted", async () => {
    const store = await open();
    const { lease } = await leased(store);
    const window = await register(store, lease, { batches: 1, events: 5 });
    await finish(store, { ...keyOf(window, 0), fence: window.fence + 1 });
    await finish(store, { ...keyOf(window, 0), generation: 2 });
    expect(await advanceAll(store, lease)).toMatchObject({ appliedWindow: 0 });
    await finish(store, keyOf(window, 0), "applied", { counts: COUNTS });
    expect(await advanceAll(store, lease)).toMatchObject({ appliedWindow: 1, totals: { processed: 5 } });
  });
}
