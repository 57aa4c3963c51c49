import { expect, test } from "vitest";
import { outstandingOf } from "./advance-applied.ts";
import { FIVE, NOW, openWindow } from "@firehose-backfill/testing/backfill/runs";
import { secondsOverdue, secondsWaiting } from "./trouble.ts";

const MINUTE = 60_000;
const running = { status: "running" } as const;

test("issue 12.6: a run waits since it first could not go on, and only while it is to go on", () => {
  const waiting = { for: "database", sinceMs: NOW };
  expect(secondsWaiting({ status: "running", waiting }, NOW + 15 * MINUTE)).toBe(900);
  expect(secondsWaiting({ status: "pausing", waiting }, NOW + MINUTE)).toBe(60);
  expect(secondsWaiting({ status: "paused", waiting }, NOW + MINUTE)).toBe(0);
  expect(secondsWaiting({ status: "running", waiting: null }, NOW + MINUTE)).toBe(0);
  expect(secondsWaiting({ status: "running", waiting }, NOW - MINUTE)).toBe(0);
});

test("issue 12.6: overdue is counted from the last slot of the oldest window that is not finished", () => {
  const windows = [
    openWindow(1, [FIVE], { lastDueMs: NOW - MINUTE }),
    openWindow(2, [FIVE, null], { lastDueMs: NOW + 2 * MINUTE }),
    openWindow(3, [null], { lastDueMs: NOW + 4 * MINUTE }),
  ];
  const outstanding = outstandingOf(windows);
  expect(outstanding.oldestDueMs).toBe(NOW + 2 * MINUTE);
  expect(secondsOverdue(running, outstanding, NOW)).toBe(0);
  expect(secondsOverdue(running, outstanding, NOW + 22 * MINUTE)).toBe(20 * 60);
  expect(secondsOverdue({ status: "paused" }, outstanding, NOW + 22 * MINUTE)).toBe(0);
  expect(secondsOverdue(running, outstandingOf([]), NOW)).toBe(0);
});

test("issue 12.6: a late batch is due at the slot that it took", () => {
  const [window] = [openWindow(1, [null], { lastDueMs: NOW })];
  const entries = window.entries.map((entry) => ({ ...entry, dueMs: NOW + 5 * MINUTE, paceVersion: 1 }));
  expect(outstandingOf([{ ...window, entries }]).oldestDueMs).toBe(NOW + 5 * MINUTE);
});

test("issue 12.6: of a window that an older program has written, nothing is known", () => {
  expect(outstandingOf([openWindow(1, [null])]).oldestDueMs).toBeNull();
});
