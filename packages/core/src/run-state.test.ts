import { describe, expect, test } from "vitest";
import { canTransition, isFinished, RUN_STATUSES, type RunStatus, sourcesOf } from "./run-state.ts";

/** The whole table a second time, by columns, so that nobody changes it by accident. */
const MAY_BECOME: Readonly<Record<RunStatus, string>> = {
  enqueued: "running paused cancelling cancelled errored",
  running: "pausing paused cancelling cancelled succeeded errored",
  pausing: "running paused cancelling cancelled succeeded errored",
  paused: "running cancelling cancelled",
  cancelling: "cancelled",
  cancelled: "",
  succeeded: "",
  errored: "running cancelling cancelled",
};

const pairs = RUN_STATUSES.flatMap((from) => RUN_STATUSES.map((to) => ({ from, to })));

test.each(pairs)("$from to $to", ({ from, to }) => {
  expect(canTransition(from, to)).toBe(MAY_BECOME[from].split(" ").includes(to));
});

test("sources are the table read backwards", () => {
  for (const { from, to } of pairs) expect(sourcesOf(to).includes(from)).toBe(canTransition(from, to));
  expect(sourcesOf("succeeded")).toEqual(["running", "pausing"]);
  expect(sourcesOf("running")).toEqual(["enqueued", "pausing", "paused", "errored"]);
  expect(sourcesOf("enqueued")).toEqual([]);
});

describe("what the operator relies on", () => {
  test("finished states lead nowhere, and only they do", () => {
    for (const status of RUN_STATUSES)
      expect(RUN_STATUSES.some((to) => canTransition(status, to))).toBe(!isFinished(status));
  });

  test("every state that is not finished can be cancelled", () => {
    const open = RUN_STATUSES.filter((status) => !isFinished(status));
    for (const status of open) expect(canTransition(status, "cancelled")).toBe(true);
  });

  test("an errored run can be resumed, and a paused one cannot succeed behind the operator's back", () => {
    expect(canTransition("errored", "running")).toBe(true);
    expect(canTransition("paused", "succeeded")).toBe(false);
  });

  test("no state becomes itself", () => {
    for (const status of RUN_STATUSES) expect(canTransition(status, status)).toBe(false);
  });
});
