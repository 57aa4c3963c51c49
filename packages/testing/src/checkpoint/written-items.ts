/** A small history of a run that leaves an item of every kind, each time the same ones. */
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";
import { aRun, finish, advanceAll, keyOf, leased, NOW, positionOf, register, RUN, theRun } from "./harness.ts";
import { DEFAULT_PACE_ID } from "@firehose-backfill/checkpoint/pace";

/** The store is to be made with these. */
export const FIXED = { now: () => NOW, newId: () => "the-mark" };

export async function writeAnItemOfEachKind(store: CheckpointStore): Promise<void> {
  const { lease } = await leased(store);
  const { throttle, sources } = aRun();
  await store.tune(RUN, {
    throttle: { ...throttle, batchDelayMs: 400 },
    profile: "moderate",
    sources: { ...sources, batchDelayMs: "tune" },
    record: { atMs: NOW, by: "tune", changes: { batchDelayMs: { from: 2000, to: 400 } } },
    nowMs: NOW,
  });
  await store.reserveSlots(DEFAULT_PACE_ID, { expectedMs: NOW, nextMs: NOW + 800, paceVersion: 2 });
  const appliedWindow = await register(store, lease);
  await store.beginAttempt(keyOf(appliedWindow, 0));
  await finish(store, keyOf(appliedWindow, 0), "applied");
  const deadReasons = { float: 2, "nul.character": 3 };
  await finish(store, keyOf(appliedWindow, 1), "dead", { counts: { applied: 0, stale: 0, dead: 5, deadReasons } });
  await advanceAll(store, lease);
  await store.sweep(await theRun(store));
  await finish(store, keyOf(appliedWindow, 1), "applied", { redriven: true });
  await store.correct(keyOf(appliedWindow, 1));
  const open = await register(store, lease, { number: 2 });
  await store.addWait(keyOf(open, 0));
  await store.setSlot(keyOf(open, 0), { dueMs: NOW + 5, paceVersion: 2 });
  await finish(store, keyOf(open, 1), "dead");
  await store.enterDead(
    { runId: RUN, generation: 1, window: 0, fence: 7, number: 0 },
    { applied: 0, stale: 0, dead: 1 },
    { nowMs: NOW },
  );
  await store.raiseBackOff(DEFAULT_PACE_ID, { reason: "memory", notAfterMs: NOW, nowMs: NOW });
  await store.setWaiting(DEFAULT_PACE_ID, { for: "database", sinceMs: NOW });
  await store.addMemoryPause(DEFAULT_PACE_ID, NOW);
  await store.addError(RUN, { atMs: NOW, source: "reader", message: "away" });
  await store.addGap(RUN, {
    from: positionOf(1),
    to: positionOf(2),
    host: "relay.example",
    reason: "retention",
    atMs: NOW,
  });
  await store.reportConsumer(RUN, {
    id: "a",
    atMs: NOW,
    rssMb: 100,
    limitMb: 512,
    active: 1,
    poolUsed: 1,
    poolSize: 2,
  });
  await store.putHistory(RUN, '{"points":[1,2,3]}');
  await store.releaseLease(lease, {
    tick: { atMs: NOW, durationMs: 5, endedBecause: "horizon" },
    nextTickAtMs: NOW + 60_000,
    queueEmptySinceMs: null,
    quiet: null,
  });
}
