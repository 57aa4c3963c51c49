import { describe, expect, it } from "vitest";
import { addHistoryPoint, emptyHistory, HISTORY_POINTS, type History, type HistoryPoint } from "./history.ts";

function point(second: number): HistoryPoint {
  return { atMs: second * 1_000, ratePerSecond: second, memoryMb: 100, depth: 3 };
}

function record(seconds: number): History {
  let history = emptyHistory("run-1");
  for (let second = 0; second < seconds; second++) history = addHistoryPoint(history, point(second));
  return history;
}

describe("the history of a run", () => {
  it("keeps a point a second while there is room", () => {
    expect(record(HISTORY_POINTS).points).toHaveLength(HISTORY_POINTS);
    expect(record(HISTORY_POINTS).spacingMs).toBe(1_000);
  });

  it("is halved when it is full, and spans the whole run still", () => {
    const { points, spacingMs } = record(HISTORY_POINTS + 1);
    expect(points).toHaveLength(121);
    expect(spacingMs).toBe(2_000);
    expect([points[0]?.atMs, points.at(-1)?.atMs]).toEqual([0, HISTORY_POINTS * 1_000]);
  });

  it("never grows beyond its size, whatever the length of the run", () => {
    const { points, spacingMs } = record(20_000);
    expect(points.length).toBeLessThanOrEqual(HISTORY_POINTS);
    expect(points.length).toBeGreaterThan(HISTORY_POINTS / 2 - 1);
    const gaps = points.slice(1).map((next, index) => next.atMs - (points[index]?.atMs ?? 0));
    expect(new Set(gaps)).toEqual(new Set([spacingMs]));
  });

  it("leaves out what comes sooner than the spacing", () => {
    const history = record(3);
    expect(addHistoryPoint(history, { ...point(2), atMs: 2_400 })).toBe(history);
  });
});
