/** Tests what consumers use: the ledger of batches, redrives with their corrections, the sweep; and the notes. */
import { describe, expect, test } from "vitest";
import type { BatchKey } from "@firehose-backfill/core/batch";
import type { AuditNote, NotEqual } from "@firehose-backfill/core/audit-note";
import type { ConsumerReport, Gap } from "@firehose-backfill/checkpoint/notes";
import {
  aWindow,
  COUNTS,
  DEAD,
  finish,
  advanceAll,
  finishOne,
  type Harness,
  keyOf,
  leased,
  NOW,
  positionOf,
  register,
  RUN,
  take,
  theRun,
} from "./harness.ts";

const KEY: BatchKey = { runId: RUN, generation: 1, window: 1, fence: 1, number: 0 };
const ALL_APPLIED = { applied: 3, stale: 2, dead: 0 };

export function describeLedger({ open, isToldTwice }: Harness): void {
  const times = isToldTwice ? 2 : 1;

  describe("an entry", () => {
    test("counts attempts and waits, and keeps its slot", async () => {
      const store = await open();
      await leased(store);
      expect(await store.getEntry(KEY)).toBeNull();
      expect(await store.beginAttempt(KEY)).toMatchObject({ key: KEY, attempts: times, waits: 0, outcome: null });
      expect(await store.addWait(KEY)).toBe(times);
      expect(await store.addWait(KEY)).toBe(2 * times);
      await store.setSlot(KEY, { dueMs: NOW + 5, paceVersion: 3 });
      await store.setSlot(KEY, { dueMs: NOW + 9, paceVersion: 2 });
      expect(await store.beginAttempt(KEY)).toEqual({
        key: KEY,
        attempts: 2 * times,
        removals: 0,
        waits: 2 * times,
        dueMs: NOW + 5,
        paceVersion: 3,
        outcome: null,
        counts: null,
        finishedAtMs: null,
        correctionPending: false,
      });
      await store.cancelAttempt(KEY);
      expect(await store.getEntry(KEY)).toMatchObject({ attempts: times, waits: 2 * times });
      await store.cancelAttempt(KEY);
      await store.cancelAttempt(KEY);
      expect(await store.getEntry(KEY)).toMatchObject({ attempts: 0, waits: 2 * times });
      const never = { ...KEY, number: KEY.number + 1 };
      await store.cancelAttempt(never);
      expect(await store.getEntry(never)).toBeNull();
      await store.setSlot(KEY, { dueMs: NOW + 11, paceVersion: 3 });
      expect(await store.getEntry(KEY)).toMatchObject({ dueMs: NOW + 11, paceVersion: 3 });
      expect(await store.getEntry({ ...KEY, fence: 2 })).toBeNull();
    });

    test("has one outcome, the first", async () => {
      const store = await open();
      await leased(store);
      const applied = await finish(store, KEY);
      expect(applied).toMatchObject({
        outcome: "applied",
        counts: COUNTS,
        finishedAtMs: NOW,
        correctionPending: false,
      });
      expect(await finish(store, KEY, "dead")).toEqual(applied);
      expect(await finish(store, KEY, "dead", { redriven: true })).toEqual(applied);
      expect(await finish(store, KEY, "applied", { counts: ALL_APPLIED, redriven: true })).toEqual(applied);
      await store.setSlot(KEY, { dueMs: NOW, paceVersion: 99 });
      expect(await store.addWait(KEY)).toBe(0);
      expect(await store.beginAttempt(KEY)).toEqual(applied);
      await store.cancelAttempt(KEY);
      expect(await store.getEntry(KEY)).toEqual(applied);
    });

    test("a dead one takes a slot of any generation when it is redriven, and stays dead until it is applied", async () => {
      const store = await open();
      await leased(store);
      await store.setSlot(KEY, { dueMs: NOW, paceVersion: 7 });
      const dead = await finish(store, KEY, "dead");
      await store.setSlot(KEY, { dueMs: NOW + 60_000, paceVersion: 2 });
      expect(await store.addWait(KEY)).toBe(times);
      expect(await store.addWait(KEY)).toBe(2 * times);
      expect(await store.getEntry(KEY)).toEqual({ ...dead, dueMs: NOW + 60_000, paceVersion: 2, waits: 2 * times });
    });

    test("issue 15.3: keeps what a slot for rows that ranges remove is for, and how many went", async () => {
      const store = await open();
      await leased(store);
      await store.setSlot(KEY, { dueMs: NOW, paceVersion: 1 });
      expect(await store.getEntry(KEY)).toMatchObject({ removals: 0 });
      await store.beginAttempt(KEY);
      await store.setSlot(KEY, { dueMs: NOW + 1, paceVersion: 1, removals: 7 });
      expect(await store.getEntry(KEY)).toMatchObject({ dueMs: NOW + 1, removals: 7, attempts: 0 });
      // A late batch takes another slot for the same rows.
      await store.setSlot(KEY, { dueMs: NOW + 2, paceVersion: 1 });
      expect(await store.getEntry(KEY)).toMatchObject({ dueMs: NOW + 2, removals: 7 });
      const counts = { ...COUNTS, removed: 9, emptyRanges: 2 };
      expect(await finish(store, KEY, "applied", { counts })).toMatchObject({ counts });
      expect((await store.getEntry(KEY))?.counts).toEqual(counts);
    });

    test("has one outcome, whoever writes at the same time", async () => {
      const store = await open();
      await leased(store);
      const all = await Promise.all(
        Array.from({ length: 6 }, (_, index) => finish(store, KEY, index % 2 === 0 ? "applied" : "dead")),
      );
      expect(new Set(all.map((entry) => entry.outcome)).size).toBe(1);
      expect(await store.getEntry(KEY)).toEqual(all[0]);
    });

    test("that is dead becomes applied by a redrive, once", async () => {
      const store = await open();
      await leased(store);
      await finish(store, KEY, "dead");
      expect(await finish(store, KEY, "applied")).toMatchObject({ outcome: "dead", counts: DEAD });
      const revived = await finish(store, KEY, "applied", { counts: ALL_APPLIED, redriven: true });
      expect(revived).toMatchObject({ outcome: "applied", counts: ALL_APPLIED, correctionPending: true });
      expect(await finish(store, KEY, "applied", { counts: COUNTS, redriven: true })).toEqual(revived);
      expect(await finish(store, KEY, "dead", { redriven: true })).toEqual(revived);
    });
  });

  describe("a redriven batch", () => {
    test("corrects the totals of its counted window exactly once", async () => {
      const store = await open();
      const { lease, run } = await leased(store);
      const window = await finishOne(store, lease, 1, ["applied", "dead"]);
      await store.sweep(run);
      const before = await theRun(store);
      expect(before.totals).toMatchObject({ processed: 5, stale: 1, dead: 5 });
      const key = keyOf(window, 1);
      await store.correct(key);
      expect(await theRun(store)).toEqual(before);
      await finish(store, key, "applied", { counts: ALL_APPLIED, redriven: true });
      await Promise.all([store.correct(key), store.correct(key), store.correct(key)]);
      await store.correct(key);
      expect((await theRun(store)).totals).toEqual({ ...before.totals, processed: 10, stale: 3, dead: 0 });
      expect(await store.getEntry(key)).toMatchObject({ outcome: "applied", correctionPending: false });
      await store.sweep(await theRun(store));
      expect((await theRun(store)).totals).toMatchObject({ processed: 10, dead: 0 });
    });

    test("issue 15.3: corrects what was received, too, where ranges of it removed rows", async () => {
      const store = await open();
      const { lease, run } = await leased(store);
      const window = await finishOne(store, lease, 1, ["applied", "dead"]);
      await store.sweep(run);
      const before = await theRun(store);
      const key = keyOf(window, 1);
      const counts = { applied: 3, stale: 1, dead: 0, removed: 4, emptyRanges: 1 };
      await finish(store, key, "applied", { counts, redriven: true });
      await Promise.all([store.correct(key), store.correct(key)]);
      const { received, processed } = before.totals;
      expect((await theRun(store)).totals).toMatchObject({ received: received + 4, processed: processed + 8, dead: 0 });
    });

    test("before its window is counted is counted as dead, then corrected by the sweep", async () => {
      const store = await open();
      const { lease } = await leased(store);
      const window = await register(store, lease, { batches: 1, events: 5 });
      const key = keyOf(window, 0);
      await finish(store, key, "dead");
      await finish(store, key, "applied", { counts: ALL_APPLIED, redriven: true });
      await store.correct(key);
      expect((await theRun(store)).totals).toMatchObject({ processed: 0, dead: 0 });
      const [shown] = await store.openWindows(await theRun(store), 10);
      expect(shown?.entries).toMatchObject([{ outcome: "dead", counts: DEAD }]);
      await advanceAll(store, lease);
      await store.correct(key);
      expect((await theRun(store)).totals).toMatchObject({ processed: 0, dead: 5 });
      expect(await store.sweep(await theRun(store))).toBe(true);
      expect((await theRun(store)).totals).toMatchObject({ processed: 5, stale: 2, dead: 0 });
      expect(await store.getEntry(key)).toMatchObject({ outcome: "applied", correctionPending: false });
    });

    test("of a window that was dropped corrects nothing", async () => {
      const store = await open();
      const { lease } = await leased(store);
      await finishOne(store, lease, 1);
      const window = await register(store, lease, { number: 2 });
      const key = keyOf(window, 0);
      await finish(store, key, "dead");
      await finish(store, key, "applied", { redriven: true });
      await store.newGeneration(RUN, { generationBefore: 1, cursor: positionOf(1), nowMs: NOW });
      const { totals } = await theRun(store);
      await store.correct(key);
      await store.sweep(await theRun(store));
      await store.correct(key);
      expect((await theRun(store)).totals).toEqual(totals);
      expect(await store.getEntry(key)).toBeNull();
    });

    test("of an earlier generation corrects, when its window was counted there", async () => {
      const store = await open();
      const { lease } = await leased(store);
      const window = await finishOne(store, lease, 1, ["dead", "applied"]);
      await register(store, lease, { number: 2 });
      // Two generations pass before the first sweep.
      await store.newGeneration(RUN, { generationBefore: 1, cursor: positionOf(1), nowMs: NOW });
      await store.newGeneration(RUN, { generationBefore: 2, cursor: positionOf(1), nowMs: NOW });
      await store.sweep(await theRun(store));
      await finish(store, keyOf(window, 0), "applied", { counts: ALL_APPLIED, redriven: true });
      await store.correct(keyOf(window, 0));
      expect((await theRun(store)).totals).toMatchObject({ processed: 10, dead: 0 });
    });

    test("of a read that never registered corrects nothing", async () => {
      const store = await open();
      const { lease: old } = await leased(store);
      const stray = keyOf(aWindow(old), 0);
      await finish(store, stray, "dead");
      const { lease } = await take(store, { owner: "reader-b", nowMs: NOW + 60_000 });
      await finishOne(store, lease, 1);
      await store.sweep(await theRun(store));
      expect(await store.getEntry(stray)).toBeNull();
      const { totals } = await theRun(store);
      await finish(store, stray, "dead");
      await finish(store, stray, "applied", { redriven: true });
      await store.correct(stray);
      expect((await theRun(store)).totals).toEqual(totals);
    });
  });

  describe("the sweep", () => {
    test("removes what is counted, keeps what is dead and what is open", async () => {
      const store = await open();
      const { lease } = await leased(store);
      const appliedWindow = await finishOne(store, lease, 1, ["applied", "dead"]);
      const next = await register(store, lease, { number: 2 });
      await finish(store, keyOf(next, 0));
      await finish(store, keyOf(next, 1), "dead");
      for (let round = 0; round < 2; round += 1) {
        expect(await store.sweep(await theRun(store))).toBe(true);
        expect(await store.getEntry(keyOf(appliedWindow, 0))).toBeNull();
        expect(await store.getEntry(keyOf(appliedWindow, 1))).toMatchObject({ outcome: "dead" });
        const [open_] = await store.openWindows(await theRun(store), 10);
        expect(open_).toMatchObject({ window: next, entries: [{ outcome: "applied" }, { outcome: "dead" }] });
      }
      expect(await advanceAll(store, lease)).toMatchObject({
        appliedWindow: 2,
        totals: { received: 28, processed: 10, dead: 10 },
      });
    });

    test("does nothing for a run that is gone", async () => {
      const store = await open();
      const { run } = await leased(store);
      expect(await store.sweep({ ...run, runId: "no-such-run" })).toBe(true);
    });
  });

  describe("notes", () => {
    test("issue 12.4: errors of one kind are one entry, the latest, with the times it came; others stay", async () => {
      const store = await open();
      await leased(store);
      const waiting = (n: number) => ({
        source: "consumer",
        message: `throttle query: ${n} > 0`,
        kind: "throttle query",
      });
      await store.addError(RUN, { atMs: NOW, source: "reader", message: "before" });
      for (let n = 1; n <= 30; n += 1) await store.addError(RUN, { atMs: NOW + n, ...waiting(n) });
      await store.addError(RUN, {
        atMs: NOW + 40,
        source: "consumer",
        message: "connection refused",
        kind: "database",
      });
      await store.addError(RUN, { atMs: NOW + 50, source: "reader", message: "after" });
      const errors = await store.listErrors(RUN);
      const [, query, database] = errors;
      expect(errors.map(({ message }) => message)).toEqual([
        "before",
        "throttle query: 30 > 0",
        "connection refused",
        "after",
      ]);
      expect([query?.times, database?.times]).toEqual(isToldTwice ? [60, 2] : [30, 1]);
      expect([query?.firstAtMs, query?.atMs, database?.firstAtMs]).toEqual([NOW + 1, NOW + 30, NOW + 40]);
      expect(errors.at(-1)?.times).toBeUndefined();
    });

    test("issue 17.5: keep the last 100 actions, shortened, in the order in which they came", async () => {
      const store = await open();
      await leased(store);
      expect(await store.listActions(RUN)).toEqual([]);
      for (let index = 0; index < 130; index += 1)
        await store.addAction(RUN, { atMs: NOW, what: `pause ${index}`, by: "page", detail: "ä".repeat(5000) });
      const actions = await store.listActions(RUN);
      // If the SDK retries a write that succeeded, the counter skips a slot, and one more old note may stay.
      expect(actions.length).toBeLessThanOrEqual(100);
      expect(actions.at(-1)).toMatchObject({ atMs: NOW, what: "pause 129", by: "page" });
      const numbers = actions.map(({ what }) => Number(what.slice("pause ".length)));
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      expect(Math.max(...actions.map(({ detail }) => Buffer.byteLength(detail)))).toBeLessThanOrEqual(300);
      expect(await store.listErrors(RUN)).toEqual([]);
    });

    test("keep the last 20 errors, shortened", async () => {
      const store = await open();
      await leased(store);
      expect(await store.listErrors(RUN)).toEqual([]);
      for (let index = 0; index < 45; index += 1)
        await store.addError(RUN, { atMs: NOW, source: "reader", message: `${index} ${"ä".repeat(5000)}` });
      const errors = await store.listErrors(RUN);
      const numbers = errors.map(({ message }) => Number.parseInt(message, 10));
      // If each write is made twice, every second slot is skipped: every second one of the last errors is kept, and older ones.
      const last = isToldTwice ? [44] : Array.from({ length: 20 }, (_, index) => 25 + index);
      expect(numbers.slice(-last.length)).toEqual(last);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      expect(errors.length).toBeLessThanOrEqual(20);
      expect(Math.max(...errors.map(({ message }) => Buffer.byteLength(message)))).toBeLessThanOrEqual(1000);
    });

    test("keep each gap once, in order", async () => {
      const store = await open();
      await leased(store);
      const gaps = [2, 1, 3].map((number): Gap => ({
        from: positionOf(number),
        to: positionOf(number + 1),
        host: "relay.example:443",
        reason: "retention",
        atMs: NOW,
      }));
      for (const gap of [...gaps, ...gaps]) await store.addGap(RUN, gap);
      expect(await store.listGaps(RUN)).toEqual(gaps);
    });

    test("keep what each consumer last said, newest first, until it is long silent", async () => {
      const store = await open();
      await leased(store);
      const say = (id: string, atMs: number): Promise<void> => store.reportConsumer(RUN, aReport(id, atMs));
      await say("a", NOW);
      await say("b", NOW + 1);
      await say("a", NOW + 2);
      expect(await store.listConsumers(RUN)).toEqual([aReport("a", NOW + 2), aReport("b", NOW + 1)]);
      await say("c", NOW + 3_600_001);
      expect((await store.listConsumers(RUN)).map(({ id }) => id)).toEqual(["c", "a"]);
      expect((await store.listConsumers(RUN)).map(({ id }) => id)).toEqual(["c", "a"]);
      expect(await store.listConsumers("no-such-run")).toEqual([]);
    });

    test("issue 16.4: keep the last audit of a database, and how far a scheduled one has come", async () => {
      const store = await open();
      expect([await store.getAudit("p"), await store.getAuditWork("p")]).toEqual([null, null]);
      await store.putAudit("p", anAudit(NOW));
      await store.putAuditWork("p", "work");
      await store.putAudit("p", anAudit(NOW + 1));
      const repos = Array.from({ length: 100 }, (_, index) => ({ ...NOT_EQUAL, did: `did:plc:${index}` }));
      await store.putAudit("q", { ...anAudit(NOW), first: repos });
      expect(await store.getAudit("p")).toEqual(anAudit(NOW + 1));
      expect(await store.getAuditWork("p")).toBe("work");
      expect((await store.getAudit("q"))?.first).toEqual(repos.slice(0, 20));
      expect(await store.getAuditWork("q")).toBeNull();
    });

    test("keep the run's course as it was last put there", async () => {
      const store = await open();
      await leased(store);
      expect(await store.getHistory(RUN)).toBeNull();
      const long = `{"points":[${"12345,".repeat(20_000)}0],"text":"ä"}`;
      await store.putHistory(RUN, "{}");
      await store.putHistory(RUN, long);
      expect(await store.getHistory(RUN)).toBe(long);
      expect(await store.getHistory("no-such-run")).toBeNull();
      expect(await store.listErrors(RUN)).toEqual([]);
    });
  });
}

function aReport(id: string, atMs: number): ConsumerReport {
  return { id, atMs, rssMb: 100, limitMb: 512, active: 1, poolUsed: 1, poolSize: 2 };
}

const NOT_EQUAL: NotEqual = { did: "did:plc:a", verdict: "differing", reason: null, missing: 1, extra: 0, other: 2 };

function anAudit(atMs: number): AuditNote {
  const atMost = { found: 1, atMost: 7, share: 0.07 };
  return {
    atMs,
    by: "a run",
    repos: "sample",
    collections: ["app.bsky.feed.post"],
    equal: 18,
    behind: 0,
    differing: 1,
    unreachable: 1,
    inactive: 0,
    records: { missing: 1, extra: 0, other: 2 },
    confidence: { level: 0.95, of: 100, isExact: true, sampled: 19, differing: atMost, notEqual: atMost },
    first: [NOT_EQUAL],
  };
}
