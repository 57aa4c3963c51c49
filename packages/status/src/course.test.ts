import { expect, test } from "vitest";
import { courseOf, rangeOf } from "./course.ts";
import { addHistoryPoint, emptyHistory, type History } from "./history.ts";

const HOUR_MS = 3_600_000;
const SECONDS_OF_10_DAYS = 864_000;

function record(seconds: number, everySeconds: number): History {
  let history = emptyHistory("run-1");
  for (let second = 0; second <= seconds; second += everySeconds)
    history = addHistoryPoint(history, {
      atMs: second * 1_000,
      ratePerSecond: second,
      allowedRatePerSecond: 2.5,
      memoryMb: null,
      lagSeconds: null,
      depth: 0,
    });
  return history;
}

test("issue 17.2: a run of ten days has fine plots of its last hour and its last day, and its size has a limit", () => {
  const history = record(SECONDS_OF_10_DAYS, 15);
  const nowMs = SECONDS_OF_10_DAYS * 1_000;
  const spacingOf = (range: "hour" | "day" | "all") => {
    const { points } = courseOf(history, range, nowMs);
    expect(points.length).toBeGreaterThan(100);
    expect(points.length).toBeLessThanOrEqual(240);
    expect(points.at(-1)?.atMs ?? 0).toBeGreaterThan(nowMs - 4 * HOUR_MS);
    return Math.max(...points.slice(1).map(({ atMs }, index) => atMs - (points[index]?.atMs ?? atMs)));
  };
  expect(spacingOf("hour")).toBe(30_000);
  expect(spacingOf("day")).toBe(720_000);
  expect(courseOf(history, "hour", nowMs).points[0]?.atMs).toBeGreaterThanOrEqual(nowMs - HOUR_MS);
  expect(courseOf(history, "day", nowMs).points[0]?.atMs).toBeGreaterThanOrEqual(nowMs - 24 * HOUR_MS);
  expect(courseOf(history, "all", nowMs).points[0]?.atMs).toBeLessThan(HOUR_MS);
});

test("issue 17.2: while a run is short, its last hour is drawn as finely as the whole of it", () => {
  const history = record(200, 1);
  expect(courseOf(history, "hour", 200_000).points).toEqual(courseOf(history, "all", 200_000).points);
});

test("issue 17.2: a mark has the same number in every range", () => {
  const marks = [1, 2, 3].map((day) => ({ atMs: day * 24 * HOUR_MS, kind: "state" as const, text: `day ${day}` }));
  const history: History = { ...record(10, 1), marks };
  const numbers = (range: "hour" | "day" | "all") =>
    courseOf(history, range, 72 * HOUR_MS).marks.map(({ number, text }) => `${number} ${text}`);
  expect(numbers("all")).toEqual(["1 day 1", "2 day 2", "3 day 3"]);
  expect(numbers("day")).toEqual(["2 day 2", "3 day 3"]);
  expect(numbers("hour")).toEqual(["3 day 3"]);
});

test.each([
  ["hour", "hour"],
  ["day", "day"],
  ["week", "all"],
  [null, "all"],
])("issue 17.2: the range %s is %s", (text, range) => {
  expect(rangeOf(text)).toBe(range);
});
