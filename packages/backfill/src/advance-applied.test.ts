import { cursorAt } from "@firehose-backfill/source/cursor";
import { expect, test } from "vitest";
import { MAX_DELAY_MS, NOTHING_OUTSTANDING, outstandingOf, planAppliedMove } from "./advance-applied.ts";
import { FIVE, NOW, openWindow, storeWithRun } from "@firehose-backfill/testing/backfill/runs";

const { run } = await storeWithRun();

test("moves past the first complete windows and adds up their counts", () => {
  const windows = [
    openWindow(1, [FIVE, { applied: 0, stale: 0, dead: 5, deadReasons: { float: 5 } }]),
    openWindow(2, []),
    openWindow(3, [FIVE, null]),
  ];
  expect(planAppliedMove(run, windows)).toEqual({
    generation: run.generation,
    appliedWindowBefore: 0,
    appliedWindow: 2,
    appliedCursor: cursorAt(200, NOW + 2),
    lastFinishedAtMs: NOW,
    add: { received: 14, processed: 5, stale: 1, dead: 5, deadReasons: { float: 5 }, skipped: { collection: 4 } },
  });
});

test("never passes a window that is not complete, whatever comes after it", () => {
  expect(planAppliedMove(run, [openWindow(1, [FIVE, null]), openWindow(2, [FIVE])])).toBeNull();
  expect(planAppliedMove(run, [openWindow(2, [FIVE])])).toBeNull();
});

test("an entry that was begun and not finished does not complete a window", () => {
  const window = openWindow(1, [FIVE]);
  expect(planAppliedMove(run, [{ ...window, window: { ...window.window, batches: 2 } }])).toBeNull();
});

test("what is outstanding counts batches, events, bytes and age", () => {
  expect(outstandingOf([openWindow(1, [FIVE, null]), openWindow(2, [FIVE]), openWindow(3, [null, null])])).toEqual({
    batches: 3,
    events: 15,
    bytes: 3_000,
    oldestSentAtMs: NOW + 1,
    oldestDueMs: null,
    // The windows of these tests do not say when their last slot is: it is 15 minutes after they were sent at most.
    newestDueMs: NOW + 3 + MAX_DELAY_MS,
    traces: 3,
  });
  expect(outstandingOf([])).toEqual(NOTHING_OUTSTANDING);
});

test("issue 15.3: rows that ranges removed are received and processed; an empty range is no event, and is not outstanding", () => {
  const removed = { applied: 2, stale: 0, dead: 0, removed: 3, emptyRanges: 1 };
  expect(planAppliedMove(run, [openWindow(1, [removed, FIVE])])?.add).toMatchObject({ received: 15, processed: 10 });
  const none = { applied: 0, stale: 0, dead: 0, emptyRanges: 5 };
  expect(outstandingOf([openWindow(1, [none, removed, null])])).toMatchObject({ batches: 1, events: 7 });
  expect(outstandingOf([openWindow(1, [none, none])])).toMatchObject({ batches: 0, events: 0 });
});
