import { expect, test } from "vitest";
import { NOTHING_OUTSTANDING } from "./advance-applied.ts";
import { judgeLoss } from "./lost.ts";

const NOW = 1_790_000_000_000;
const FIGURES = { ready: 0, inFlight: 1, delayed: 0, oldestAgeSeconds: null, deadLetters: 3 };
const OUTSTANDING = {
  ...NOTHING_OUTSTANDING,
  batches: 4,
  events: 20,
  oldestSentAtMs: NOW - 60_000,
  oldestDueMs: NOW - 2_000,
  newestDueMs: NOW - 1_000,
};
const RUN = { status: "running", pausedNow: false, waiting: null, queueEmptySinceMs: null, quiet: null } as const;
const AT = { figures: FIGURES, outstandingOfAll: 4, lostAfterMs: 180_000, nowMs: NOW };
const first = judgeLoss(RUN, OUTSTANDING, AT);
const LONGEST_MS = 900_000 + 180_000;

test("the quiet begins with the first look at which all batches are overdue", () => {
  expect(first).toMatchObject({ lost: null, quiet: { sinceMs: NOW } });
  expect(judgeLoss(RUN, { ...OUTSTANDING, newestDueMs: NOW + 1 }, AT).quiet).toBeNull();
});

test.each([
  ["a moment before the longest that a message is hidden", {}, {}, { nowMs: NOW + LONGEST_MS - 1 }, false],
  ["after it", {}, {}, {}, true],
  ["whatever else is in the queue", {}, {}, { figures: { ...FIGURES, ready: 3, inFlight: 50, delayed: 700 } }, true],
  ["not while as many messages wait for a consumer", {}, {}, { figures: { ...FIGURES, ready: 4 } }, false],
  ["not while something is waited for", { waiting: { for: "database", sinceMs: NOW } }, {}, {}, false],
  ["not while it is paused", { status: "paused" }, {}, {}, false],
  ["not while it is held", { status: "pausing", pausedNow: true }, {}, {}, false],
  ["not after a batch was applied", {}, { batches: 3 }, {}, false],
  ["not after a batch was received", {}, { traces: 1 }, {}, false],
  ["not after a batch got a later slot", {}, { newestDueMs: NOW + 500 }, {}, false],
  ["after three days in any case", { status: "paused" }, { oldestSentAtMs: NOW - 3 * 86_400_000 }, {}, true],
  ["never while nothing is outstanding", {}, NOTHING_OUTSTANDING, {}, false],
] as const)("issue 14.4: lost %s", (_name, run, outstanding, at, isLost) => {
  const later = { ...AT, nowMs: NOW + LONGEST_MS, ...at };
  const judged = judgeLoss({ ...RUN, quiet: first.quiet, ...run }, { ...OUTSTANDING, ...outstanding }, later);
  expect(judged.lost !== null).toBe(isLost);
});

test("an empty queue is judged sooner, whatever lies in the dead-letter queue", () => {
  const figures = { ...FIGURES, inFlight: 0 };
  const empty = judgeLoss(RUN, OUTSTANDING, { ...AT, figures });
  expect(empty).toMatchObject({ lost: null, queueEmptySinceMs: NOW });
  expect(judgeLoss({ ...RUN, ...empty }, OUTSTANDING, { ...AT, figures, nowMs: NOW + 180_000 }).lost).toMatch(
    /^4 batches are outstanding, and the queue has been empty for 180 s$/,
  );
});
