import { describe, expect, it } from "vitest";
import {
  addHistoryPoint,
  addSnapshot,
  emptyHistory,
  HISTORY_MARKS,
  HISTORY_POINTS,
  type History,
  type HistoryPoint,
  parseHistory,
} from "./history.ts";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import type { Snapshot } from "./snapshot.ts";

function point(second: number): HistoryPoint {
  const atMs = second * 1_000;
  return { atMs, ratePerSecond: second, allowedRatePerSecond: 2.5, memoryMb: 100, lagSeconds: null, depth: 3 };
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

  it("is halved when it is full, and still covers the whole run", () => {
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

describe("the turns of a run", () => {
  const at = (minute: number, different: Partial<Snapshot> = {}): Snapshot =>
    sampleSnapshot({ at: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(), ...different });
  const memory = sampleSnapshot().memory;
  const tune = (minute: number) => ({
    at: at(minute).at,
    by: "tune",
    pending: false,
    changes: { batchDelayMs: { from: 2_000, to: 4_000 } },
  });
  const follow = (snapshots: readonly Snapshot[]) => snapshots.reduce(addSnapshot, emptyHistory(""));

  it("are marked once each, when they are seen", () => {
    const gap = { from: { seq: 1, time: "a" }, to: { seq: 2, time: "b" }, host: "h", reason: "too old" };
    const { marks, points } = follow([
      at(0),
      at(1, { tunes: [tune(1)] }),
      at(2, { tunes: [tune(1)], memory: { ...memory, pauses: 2, usedMb: 520, backOff: 2 } }),
      at(3, { tunes: [tune(1), tune(3)], memory: { ...memory, pauses: 2, backOff: 2 }, gaps: [gap] }),
      at(4, {
        status: "paused",
        reason: "by the operator",
        tunes: [tune(1), tune(3)],
        memory: { ...memory, pauses: 2, backOff: 2 },
        gaps: [gap],
      }),
    ]);
    expect(marks.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      "state running",
      "tune tune: batchDelayMs 2000 → 4000",
      "memory paused for memory at 520 MB",
      "back-off back-off 1 → 2",
      "tune tune: batchDelayMs 2000 → 4000",
      "gap gap from a to b: too old",
      "state paused: by the operator",
    ]);
    expect(points).toHaveLength(5);
  });

  it("end with the run, and another run begins anew", () => {
    const over = follow([at(0), at(1, { status: "succeeded" }), at(2, { status: "succeeded" })]);
    expect(over.points).toHaveLength(2);
    const next = addSnapshot(over, at(3, { runId: "another" }));
    expect(next).toMatchObject({ runId: "another", points: [{ atMs: Date.UTC(2026, 0, 1, 0, 3) }] });
    expect(addSnapshot(over, at(3, { runId: null }))).toBe(over);
  });

  it("are bounded", () => {
    const flapping = Array.from({ length: 300 }, (_, minute) =>
      at(minute, { status: minute % 2 ? "paused" : "running" }),
    );
    expect(follow(flapping).marks).toHaveLength(HISTORY_MARKS);
  });

  it("come back as they were stored, and nothing else does", () => {
    const history = follow([at(0), at(1, { tunes: [tune(1)] })]);
    const stored: unknown = JSON.parse(JSON.stringify(history));
    expect(parseHistory(stored)).toEqual(history);
    const older = { ...history, points: [{ atMs: 1, ratePerSecond: 2, memoryMb: null, depth: 0 }] };
    for (const other of [null, 5, {}, { ...history, marks: "x" }, older]) expect(parseHistory(other)).toBeNull();
  });
});
