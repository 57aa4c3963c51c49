/** Dead events: their reasons in the totals, and batches of them that are tried again. */
import type { BatchKey } from "@firehose-backfill/core/batch";
import { describe, expect, test } from "vitest";
import { finish, advanceAll, type Harness, keyOf, leased, NOW, register, RUN, theRun } from "./harness.ts";

/** No reader uses window 0. */
const KEY: BatchKey = { runId: RUN, generation: 1, window: 0, fence: 1_795_000_000, number: 0 };
const HALF_DEAD = { applied: 3, stale: 0, dead: 2, deadReasons: { float: 1, "database-22P05": 1 } };

export function describeDeadEvents({ open, isToldTwice }: Harness): void {
  /** A run with four dead events of two reasons in its totals, all swept. */
  async function withDead() {
    const store = await open();
    const { lease } = await leased(store);
    const window = await register(store, lease, { batches: 2, events: 10 });
    await finish(store, keyOf(window, 0), "applied", { counts: HALF_DEAD });
    await finish(store, keyOf(window, 1), "applied", { counts: HALF_DEAD });
    await advanceAll(store, lease);
    while (!(await store.sweep(await theRun(store))));
    return { store, lease };
  }

  describe("dead events", () => {
    test("are in the totals by reason", async () => {
      const { store } = await withDead();
      expect((await theRun(store)).totals).toMatchObject({
        processed: 6,
        dead: 4,
        deadReasons: { float: 2, "database-22P05": 2 },
      });
    });

    test("that are tried again are dead in the ledger, once, and stay through a sweep", async () => {
      const { store } = await withDead();
      const counts = { applied: 0, stale: 0, dead: 2, deadReasons: { float: 2 } };
      expect(await store.enterDead(KEY, counts, { nowMs: NOW })).toBe(!isToldTwice);
      expect(await store.enterDead(KEY, counts, { nowMs: NOW })).toBe(false);
      await store.sweep(await theRun(store));
      expect(await store.getEntry(KEY)).toMatchObject({ key: KEY, outcome: "dead", counts, attempts: 0 });
      await store.setSlot(KEY, { dueMs: NOW + 5, paceVersion: 9 });
      expect(await store.getEntry(KEY)).toMatchObject({ dueMs: NOW + 5, paceVersion: 9 });
    });

    test("correct totals and reasons when they are applied, exactly once, also of a run that is finished", async () => {
      const { store } = await withDead();
      await store.enterDead(
        KEY,
        { applied: 0, stale: 0, dead: 3, deadReasons: { float: 2, "database-22P05": 1 } },
        { nowMs: NOW },
      );
      await store.transition(RUN, ["running"], "succeeded", { finishedAtMs: NOW });
      const counts = { applied: 1, stale: 1, dead: 1, deadReasons: { float: 1 } };
      await finish(store, KEY, "applied", { counts, redriven: true });
      await Promise.all([store.correct(KEY), store.correct(KEY)]);
      await store.correct(KEY);
      const { totals } = await theRun(store);
      expect(totals).toMatchObject({ processed: 8, stale: 1, dead: 2, deadReasons: { float: 1, "database-22P05": 1 } });
      expect(await store.getEntry(KEY)).toMatchObject({ outcome: "applied", counts, correctionPending: false });
    });
  });
}
