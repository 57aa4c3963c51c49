/** Tests runs: which of them exist, and what control may change. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { DEFAULT_PACE_ID, type TuneRecord } from "@firehose-backfill/checkpoint/pace";
import {
  anAppliedMove,
  aRun,
  aMove,
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

export function describeRuns({ open, isToldTwice }: Harness): void {
  describe("a run", () => {
    test("does not exist at first", async () => {
      const store = await open();
      expect(await store.currentRun()).toBeNull();
      expect(await store.currentRun({ openOnly: true })).toBeNull();
      expect(await store.getRun(RUN)).toBeNull();
      expect(await store.getScope(RUN)).toBeNull();
    });

    test("is read as it was made", async () => {
      const store = await open();
      const created = await store.createRun(aRun());
      expect(await store.getRun(RUN)).toEqual(created);
      expect(await store.currentRun()).toEqual(created);
      expect(await store.currentRun({ openOnly: true })).toEqual(created);
      expect(created).toMatchObject({
        generation: 1,
        registered: 0,
        appliedWindow: 0,
        fence: 0,
        paceVersion: 1,
        backOff: 1,
        plannedDueMs: NOW,
      });
      expect(await store.getScope(RUN)).toEqual(aRun().scope);
    });

    test("keeps 10,000 DIDs and more", async () => {
      const store = await open();
      const dids = Array.from(
        { length: 25_000 },
        (_, index) => `did:plc:${createHash("sha256").update(String(index)).digest("base64url").slice(0, 24)}`,
      );
      const scope = { ...aRun().scope, dids };
      await store.createRun(aRun({ scope }));
      expect(await store.getScope(RUN)).toEqual(scope);
    });

    test("is refused while another about the same is not finished, errored and paused included", async () => {
      const store = await open();
      await store.createRun(aRun());
      for (const status of ["paused", "running", "errored"] as const) {
        expect(await store.transition(RUN, ["running", "paused"], status, {})).not.toBeNull();
        await expect(store.createRun(aRun({ runId: "run-2" }))).rejects.toMatchObject({
          name: "RunInProgressError",
          runId: RUN,
        });
      }
      expect(await store.getRun("run-2")).toBeNull();
    });

    test("follows a finished one, which stays the current one until then", async () => {
      const store = await open();
      await store.createRun(aRun());
      await store.transition(RUN, ["running"], "cancelled", { finishedAtMs: NOW });
      expect(await store.currentRun()).toMatchObject({ runId: RUN, status: "cancelled", finishedAtMs: NOW });
      expect(await store.currentRun({ openOnly: true })).toBeNull();
      await store.createRun(aRun({ runId: "run-2" }));
      expect(await store.currentRun({ openOnly: true })).toMatchObject({ runId: "run-2" });
      expect(await store.getRun(RUN)).toMatchObject({ status: "cancelled" });
    });

    test("cannot have the id of an earlier one", async () => {
      const store = await open();
      await store.createRun(aRun());
      await store.transition(RUN, ["running"], "cancelled", {});
      await expect(store.createRun(aRun())).rejects.toMatchObject({ name: "BrokenStateError" });
      expect(await theRun(store)).toMatchObject({ status: "cancelled" });
    });

    test("begins once when two begin at the same time", async () => {
      const store = await open();
      const ids = ["run-a", "run-b", "run-c"];
      const results = await Promise.allSettled(ids.map((runId) => store.createRun(aRun({ runId }))));
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      const current = await store.currentRun();
      expect(results.findIndex(({ status }) => status === "fulfilled")).toBe(ids.indexOf(current?.runId ?? ""));
    });
  });

  describe("issue 14.1: several runs", () => {
    const another = (runId: string, changes: Parameters<typeof aRun>[0] = {}) =>
      aRun({ runId, about: `about ${runId}`, ...changes });

    test("are open beside each other, in the order in which they began", async () => {
      const store = await open();
      for (const runId of ["c", "a", "b"]) await store.createRun(another(runId));
      expect((await store.openRuns()).map(({ runId }) => runId)).toEqual(["c", "a", "b"]);
      expect(await store.currentRun()).toMatchObject({ runId: "b" });
      await store.transition("b", ["running"], "cancelled", { finishedAtMs: NOW });
      expect((await store.openRuns()).map(({ runId }) => runId)).toEqual(["c", "a"]);
      expect(await store.currentRun({ openOnly: true })).toMatchObject({ runId: "a" });
    });

    test("are 20 at most, and the 21st begins once one of them is finished", async () => {
      const store = await open();
      for (let run = 1; run <= 20; run += 1) await store.createRun(another(`run-${run}`));
      const refused = {
        name: "TooManyRunsError",
        message: expect.stringMatching(/^20 runs are open, and no more can be/),
      };
      await expect(store.createRun(another("run-21"))).rejects.toMatchObject(refused);
      expect(await store.getRun("run-21")).toBeNull();
      await store.transition("run-7", ["running"], "cancelled", {});
      await store.createRun(another("run-21"));
      expect(await store.openRuns()).toHaveLength(20);
    });

    test("begin, all of them, when many begin at the same time", async () => {
      const store = await open();
      await Promise.all(["a", "b", "c", "d"].map((runId) => store.createRun(another(runId))));
      const runs = await store.openRuns();
      expect(runs.map(({ runId }) => runId).sort()).toEqual(["a", "b", "c", "d"]);
      // The first run created the pace, and the others joined it.
      expect(new Set(runs.map(({ paceId, paceVersion }) => `${paceId} ${paceVersion}`)).size).toBe(1);
    });

    test("have each a name of its own, by which they are found, also when they are finished", async () => {
      const store = await open();
      await store.createRun(another("a", { name: "nightly" }));
      await expect(store.createRun(another("b", { name: "nightly" }))).rejects.toMatchObject({
        name: "NameTakenError",
        message: "run a is open and has the name nightly: choose another name",
      });
      expect(await store.getRun("b")).toBeNull();
      expect(await store.findRun("nightly")).toMatchObject({ runId: "a", name: "nightly" });
      expect(await store.findRun("a")).toMatchObject({ runId: "a" });
      expect(await store.findRun("weekly")).toBeNull();
      await store.transition("a", ["running"], "cancelled", {});
      expect(await store.findRun("nightly")).toMatchObject({ runId: "a", status: "cancelled" });
      await store.createRun(another("b", { name: "nightly", createdAtMs: NOW + 1 }));
      expect(await store.findRun("nightly")).toMatchObject({ runId: "b" });
    });

    test("that are finished are listed, those that began last first, as many as are wanted", async () => {
      const store = await open();
      for (const [index, runId] of ["a", "b", "c"].entries()) {
        await store.createRun(another(runId, { createdAtMs: NOW + index }));
        await store.transition(runId, ["running"], "cancelled", {});
      }
      await store.createRun(another("d"));
      const idsOf = async (limit: number) => (await store.pastRuns({ limit })).map(({ runId }) => runId);
      expect(await idsOf(10)).toEqual(["c", "b", "a"]);
      expect(await idsOf(2)).toEqual(["c", "b"]);
      expect(await idsOf(0)).toEqual([]);
    });
  });

  describe("issue 14.2: one pace", () => {
    const DATABASE = { id: "an-id", name: "db.example/postgres" };

    test("is that of the run that was there first: a second one joins it and changes nothing", async () => {
      const store = await open();
      await store.createRun(aRun({ database: DATABASE }));
      await store.raiseBackOff("an-id", { reason: "latency", notAfterMs: NOW, nowMs: NOW });
      const { throttle } = aRun();
      const taken = await store.takeSlot("an-id", { intervalMs: 100, nowMs: NOW });
      const second = aRun({
        runId: "run-2",
        about: "another",
        database: DATABASE,
        throttle: { ...throttle, batchSize: 50 },
        createdAtMs: NOW + 60_000,
      });
      const pace = { throttle, backOff: 2, plannedDueMs: taken.dueMs + 100, paceVersion: taken.paceVersion };
      expect(await store.createRun(second)).toMatchObject(pace);
      expect(await theRun(store)).toMatchObject(pace);
      // A tune of one run changes both, because they have the same pace.
      const change = { throttle: second.throttle, profile: "fast" as const, sources: {}, record: aTune(1), nowMs: NOW };
      await store.tune(RUN, change);
      expect((await store.openRuns()).map((run) => run.throttle.batchSize)).toEqual([50, 50]);
    });

    test("is one where it is not known yet that the database is the same", async () => {
      const store = await open();
      await store.createRun(aRun());
      expect(await store.createRun(aRun({ runId: "b", about: "b", database: DATABASE }))).toMatchObject({
        paceId: DEFAULT_PACE_ID,
        database: DATABASE,
      });
      await store.bindDatabase(RUN, DATABASE);
      expect(await store.createRun(aRun({ runId: "c", about: "c", database: DATABASE }))).toMatchObject({
        paceId: DEFAULT_PACE_ID,
      });
    });

    test("is another one for another database", async () => {
      const store = await open();
      await store.createRun(aRun({ database: DATABASE }));
      const elsewhere = { id: "other", name: "db.example/other" };
      const throttle = { ...aRun().throttle, batchSize: 50 };
      await store.createRun(aRun({ runId: "b", about: "b", database: elsewhere, throttle }));
      const runs = await store.openRuns();
      expect(runs.map((run) => [run.paceId, run.throttle.batchSize])).toEqual([
        ["an-id", 5],
        ["other", 50],
      ]);
    });

    test("begins anew with the next run once all of its runs are finished", async () => {
      const store = await open();
      await store.createRun(aRun());
      await store.createRun(aRun({ runId: "b", about: "b" }));
      await store.transition(RUN, ["running"], "cancelled", {});
      await store.transition("b", ["running"], "cancelled", {});
      const throttle = { ...aRun().throttle, batchSize: 50 };
      expect(await store.createRun(aRun({ runId: "c", throttle }))).toMatchObject({ throttle });
    });
  });

  describe("a transition", () => {
    test("happens only from the states that are named, and only along the table", async () => {
      const store = await open();
      await store.createRun(aRun());
      expect(await store.transition(RUN, ["paused"], "running", {})).toBeNull();
      expect(await store.transition("no-such-run", ["running"], "pausing", {})).toBeNull();
      const patch = { reason: "asked to", pausedNow: true, pausedSinceMs: NOW, pausedMs: 7, target: positionOf(3) };
      const after = await store.transition(RUN, ["enqueued", "running"], "pausing", patch);
      expect(after).toMatchObject({ status: "pausing", ...patch });
      expect(await theRun(store)).toEqual(after);
      const same = await store.transition(RUN, ["pausing"], "pausing", { reason: null, pausedSinceMs: null });
      expect(same).toMatchObject({
        status: "pausing",
        reason: null,
        pausedSinceMs: null,
        pausedNow: true,
        pausedMs: 7,
      });
      await store.transition(RUN, ["pausing"], "cancelled", {});
      expect(await store.transition(RUN, ["cancelled"], "running", {})).toBeNull();
      expect(await theRun(store)).toMatchObject({ status: "cancelled" });
    });

    test("is won by one of many", async () => {
      const store = await open();
      await store.createRun(aRun());
      const results = await Promise.all(
        Array.from({ length: 5 }, (_, index) => store.transition(RUN, ["running"], "pausing", { reason: `${index}` })),
      );
      const won = results.filter((run) => run !== null);
      expect(won).toHaveLength(1);
      expect((await theRun(store)).reason).toBe(won[0]?.reason);
    });
  });

  describe("a tune", () => {
    test("changes the throttle, the pace version and the record, and keeps the last five", async () => {
      const store = await open();
      const { throttle, sources } = await store.createRun(aRun());
      for (let delay = 1; delay <= 7; delay += 1) {
        const change = {
          throttle: { ...throttle, batchDelayMs: delay },
          profile: "fast" as const,
          sources: { ...sources, batchDelayMs: "tune" as const },
          record: aTune(delay),
          nowMs: NOW + delay,
        };
        expect(await store.tune(RUN, change)).toMatchObject({ throttle: change.throttle, plannedDueMs: NOW + delay });
      }
      const run = await theRun(store);
      expect(run).toMatchObject({ paceVersion: 8, profile: "fast", sources: { batchDelayMs: "tune" } });
      expect(run.tunes).toEqual([3, 4, 5, 6, 7].map(aTune));
    });

    test("is refused by a run that is finished or gone", async () => {
      const store = await open();
      const { throttle, sources } = await store.createRun(aRun());
      const change = { throttle, profile: "fast" as const, sources, record: aTune(1), nowMs: NOW };
      await store.transition(RUN, ["running"], "cancelled", {});
      expect(await store.tune(RUN, change)).toBeNull();
      expect(await store.tune("no-such-run", change)).toBeNull();
    });

    test("puts a run's own pace by, keeps it, and brings it back", async () => {
      const store = await open();
      const { throttle, sources } = await store.createRun(aRun());
      const { batchSize, batchDelayMs, maxConcurrent } = throttle;
      const offPeak = {
        profile: "fast" as const,
        own: { profile: "background" as const, batchSize, batchDelayMs, maxConcurrent },
        ownSources: { batchSize: "environment" as const },
      };
      const change = { throttle, profile: "fast" as const, sources, nowMs: NOW };
      expect(await store.tune(RUN, { ...change, record: aTune(1), offPeak })).toMatchObject({ offPeak });
      await store.tune(RUN, { ...change, record: aTune(2) });
      expect((await theRun(store)).offPeak).toEqual(offPeak);
      expect(await store.tune(RUN, { ...change, record: aTune(3), offPeak: null })).toMatchObject({ offPeak: null });
      expect((await theRun(store)).offPeak).toBeNull();
    });

    test("that was made from a pace that has changed is refused", async () => {
      const store = await open();
      const { throttle, sources, paceVersion } = await store.createRun(aRun());
      const change = { throttle, profile: "fast" as const, sources, nowMs: NOW, paceVersion };
      expect(await store.tune(RUN, { ...change, record: aTune(1) })).not.toBeNull();
      expect(await store.tune(RUN, { ...change, record: aTune(2) })).toBeNull();
      expect((await theRun(store)).tunes).toEqual([aTune(1)]);
    });

    test("loses nothing when several writers add at the same time", async () => {
      const store = await open();
      const { throttle, sources } = await store.createRun(aRun());
      await Promise.all(
        [1, 2, 3, 4].map((delay) =>
          store.tune(RUN, {
            throttle: { ...throttle, batchDelayMs: delay },
            profile: "fast",
            sources,
            record: aTune(delay),
            nowMs: NOW,
          }),
        ),
      );
      const run = await theRun(store);
      expect(run.paceVersion).toBe(5);
      expect(run.tunes.map((tune) => tune.atMs).sort((a, b) => a - b)).toEqual(
        [1, 2, 3, 4].map((delay) => NOW + delay),
      );
    });
  });

  describe("a new generation", () => {
    test("sets the cursors and drops unfinished windows with their counts", async () => {
      const store = await open();
      const { lease } = await leased(store);
      await finishOne(store, lease, 1);
      await register(store, lease, { number: 2 });
      await store.setWaiting(DEFAULT_PACE_ID, { for: "database", sinceMs: NOW });
      const before = await theRun(store);
      const after = await store.newGeneration(RUN, {
        generationBefore: 1,
        cursor: before.appliedCursor,
        nowMs: NOW + 9,
      });
      expect(after).toMatchObject({
        generation: 2,
        readerCursor: positionOf(1),
        appliedCursor: positionOf(1),
        registered: 2,
        appliedWindow: 2,
        totals: before.totals,
        paceVersion: before.paceVersion + 1,
        plannedDueMs: NOW + 9,
        waiting: null,
        sourceState: before.sourceState,
        sourceMoved: true,
        target: null,
        startPosition: before.startPosition,
      });
      expect(await store.openWindows(await theRun(store), 10)).toEqual([]);
    });

    test("from another start forgets what was measured of the stream", async () => {
      const store = await open();
      const { lease } = await leased(store);
      await store.putWindow(lease, { ...(await register(store, lease)), number: 2 });
      await store.moveCursor(lease, aMove(2, { keptSinceMs: 5, target: positionOf(2) }));
      const start = { kind: "oldest" } as const;
      expect(await store.newGeneration(RUN, { generationBefore: 1, cursor: null, start, nowMs: NOW })).toMatchObject({
        start,
        readerCursor: null,
        appliedCursor: null,
        startPosition: null,
        sourceMoved: true,
        target: null,
        keptSinceMs: null,
      });
    });

    test("is refused when the generation has moved on, and when the run is finished", async () => {
      const store = await open();
      await store.createRun(aRun());
      const start = { kind: "oldest" } as const;
      const change = { generationBefore: 1, cursor: positionOf(1), start, nowMs: NOW };
      const results = await Promise.all([
        store.newGeneration(RUN, change),
        store.newGeneration(RUN, { ...change, cursor: positionOf(2) }),
      ]);
      expect(results.filter((run) => run !== null)).toHaveLength(1);
      expect(await theRun(store)).toMatchObject({
        generation: 2,
        readerCursor: results.find((run) => run !== null)?.readerCursor,
      });
      expect(await store.newGeneration(RUN, change)).toBeNull();
      await store.transition(RUN, ["running"], "cancelled", {});
      expect(await store.newGeneration(RUN, { ...change, generationBefore: 2 })).toBeNull();
    });

    test("is refused where the applied cursor has moved on, unless a start was chosen", async () => {
      const store = await open();
      const { lease } = await leased(store);
      const stale = await theRun(store);
      await finishOne(store, lease, 1);
      const change = { generationBefore: 1, cursor: stale.appliedCursor, nowMs: NOW };
      expect(await store.newGeneration(RUN, change)).toBeNull();
      expect(await store.newGeneration(RUN, { ...change, cursor: positionOf(1) })).toMatchObject({
        generation: 2,
        appliedWindow: 1,
      });
      await finishOne(store, lease, 2, ["applied", "applied"], 2);
      const chosen = { generationBefore: 2, cursor: null, start: { kind: "live" } as const, nowMs: NOW };
      expect(await store.newGeneration(RUN, chosen)).toMatchObject({ generation: 3, appliedCursor: null });
    });

    test("refuses every later write of the old one", async () => {
      const store = await open();
      const { lease } = await leased(store);
      const window = await register(store, lease);
      await store.newGeneration(RUN, { generationBefore: 1, cursor: null, nowMs: NOW });
      const before = await theRun(store);
      expect(await store.moveCursor(lease, aMove(2))).toBe(false);
      expect(await store.noteStream(lease, { generation: 1, target: positionOf(1) })).toBe(false);
      expect(await store.reserveSlots(DEFAULT_PACE_ID, { expectedMs: NOW, nextMs: NOW + 1, paceVersion: 1 })).toBe(
        false,
      );
      const add = { received: 1, processed: 1, stale: 0, dead: 0, deadReasons: {}, skipped: {} };
      expect(await store.moveApplied(lease, anAppliedMove(add, { appliedCursor: window.to }))).toBeNull();
      expect(await theRun(store)).toEqual(before);
    });
  });

  describe("back-off", () => {
    test("doubles up to 16, each time with a new pace version, and not before it may", async () => {
      const store = await open();
      await store.createRun(aRun());
      for (let times = 1; times <= 4; times += 1) {
        const nowMs = NOW + times * 10;
        expect(await store.raiseBackOff(DEFAULT_PACE_ID, { reason: "memory", notAfterMs: nowMs - 5, nowMs })).toBe(
          true,
        );
        expect(await store.raiseBackOff(DEFAULT_PACE_ID, { reason: "latency", notAfterMs: nowMs, nowMs })).toBe(false);
        expect(await theRun(store)).toMatchObject({
          backOff: 2 ** times,
          backOffAtMs: nowMs,
          backOffReason: "memory",
          paceVersion: 1 + times,
          plannedDueMs: nowMs,
        });
      }
      expect(
        await store.raiseBackOff(DEFAULT_PACE_ID, { reason: "latency", notAfterMs: NOW + 100, nowMs: NOW + 100 }),
      ).toBe(false);
      expect(await theRun(store)).toMatchObject({
        backOff: 16,
        backOffAtMs: NOW + 100,
        backOffReason: "latency",
        paceVersion: 5,
        plannedDueMs: NOW + 40,
      });
    });

    test("halves down to 1 and leaves the pace alone", async () => {
      const store = await open();
      await store.createRun(aRun());
      await store.raiseBackOff(DEFAULT_PACE_ID, { reason: "memory", notAfterMs: NOW, nowMs: NOW });
      expect(await store.halveBackOff(DEFAULT_PACE_ID, { notAfterMs: NOW, nowMs: NOW + 1 })).toBe(false);
      expect(await store.halveBackOff(DEFAULT_PACE_ID, { notAfterMs: NOW + 1, nowMs: NOW + 60_000 })).toBe(true);
      expect(await theRun(store)).toMatchObject({
        backOff: 1,
        backOffAtMs: NOW + 60_000,
        paceVersion: 2,
        plannedDueMs: NOW,
      });
      expect(await store.halveBackOff(DEFAULT_PACE_ID, { notAfterMs: NOW + 60_001, nowMs: NOW + 70_000 })).toBe(false);
    });

    test("rises once when many ask at the same time", async () => {
      const store = await open();
      await store.createRun(aRun());
      await Promise.all(
        Array.from({ length: 6 }, () =>
          store.raiseBackOff(DEFAULT_PACE_ID, { reason: "latency", notAfterMs: NOW, nowMs: NOW }),
        ),
      );
      expect(await theRun(store)).toMatchObject({ backOff: 2, paceVersion: 2 });
    });
  });

  test("what consumers wait for, and their memory pauses, are in the run", async () => {
    const store = await open();
    const { lease } = await leased(store);
    await store.setWaiting(DEFAULT_PACE_ID, { for: "throttle query: 3 > 0", sinceMs: NOW });
    expect(await theRun(store)).toMatchObject({ waiting: { for: "throttle query: 3 > 0", sinceMs: NOW } });
    await store.setWaiting(DEFAULT_PACE_ID, null);
    await store.addMemoryPause(DEFAULT_PACE_ID, NOW + 3);
    const run = await theRun(store);
    expect(run).toMatchObject({ waiting: null, lastMemoryPauseAtMs: NOW + 3, fence: lease.fence });
    expect(run.memoryPauses).toBe(isToldTwice ? 2 : 1);
    await store.setWaiting("no-such-pace", null);
    await store.addMemoryPause("no-such-pace", NOW);
    expect(await store.getRun("no-such-run")).toBeNull();
  });

  test("fault 8: a run that is over waits for nothing, whoever said so before or says so now", async () => {
    const store = await open();
    await leased(store);
    await store.setWaiting(DEFAULT_PACE_ID, { for: "database", sinceMs: NOW });
    await store.transition(RUN, ["running"], "cancelling", {});
    expect(await theRun(store)).toMatchObject({ waiting: { for: "database" } });
    await store.transition(RUN, ["cancelling"], "cancelled", { finishedAtMs: NOW });
    expect(await theRun(store)).toMatchObject({ status: "cancelled", waiting: null });
    await store.setWaiting(DEFAULT_PACE_ID, { for: "database", sinceMs: NOW });
    expect(await theRun(store)).toMatchObject({ waiting: null });
  });

  test("a finished run is swept, so that a redrive finds its batch", async () => {
    const store = await open();
    const { lease } = await leased(store);
    const window = await finishOne(store, lease, 1, ["applied", "dead"]);
    await store.transition(RUN, ["running"], "succeeded", { finishedAtMs: NOW });
    await store.finish(keyOf(window, 1), "applied", { applied: 5, stale: 0, dead: 0 }, { nowMs: NOW, redriven: true });
    await store.correct(keyOf(window, 1));
    expect((await theRun(store)).totals).toEqual({
      received: 14,
      processed: 10,
      stale: 1,
      dead: 0,
      deadReasons: {},
      skipped: { collection: 4 },
    });
    expect(await take(store)).toMatchObject({ run: { status: "succeeded" } });
  });
}

function aTune(delay: number): TuneRecord {
  return { atMs: NOW + delay, by: "tune", changes: { BACKFILL_BATCH_DELAY_MS: { from: 2000, to: delay } } };
}
