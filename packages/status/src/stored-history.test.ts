import { describe, expect, it } from "vitest";
import { loadHistory, recordHistory } from "./stored-history.ts";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";

const RUN = sampleSnapshot().runId ?? "";

function itemStore(history: string | null = null) {
  const store = {
    history,
    writes: 0,
    getHistory: async () => store.history,
    putHistory: async (_runId: string, text: string) => {
      store.history = text;
      store.writes += 1;
    },
  };
  return store;
}

function at(minute: number, different = {}) {
  return sampleSnapshot({ at: new Date(Date.UTC(2026, 2, 1) + minute * 60_000).toISOString(), ...different });
}

describe("the course of a deployed run", () => {
  it("grows by what each tick sees, whichever process it is, and keeps its size", async () => {
    const store = itemStore();
    for (let minute = 0; minute < 2_000; minute += 1) await recordHistory(store, at(minute, { ratePerSecond: minute }));
    const history = await loadHistory(store, RUN);
    expect(history?.points.length).toBeGreaterThan(100);
    expect(history?.points.length).toBeLessThanOrEqual(240);
    expect(history?.points.at(-1)?.ratePerSecond).toBeGreaterThan(1_980);
    // The whole run is drawn with the same resolution: its first hour as well as its last.
    const minutes = history?.points.map(({ ratePerSecond }) => ratePerSecond ?? Number.NaN) ?? [];
    const distances = minutes.slice(1).map((minute, index) => minute - (minutes[index] ?? 0));
    expect(minutes[0]).toBeLessThan(20);
    expect(Math.max(...distances)).toBeLessThanOrEqual(2 * Math.min(...distances));
    expect(history?.marks).toEqual([expect.objectContaining({ kind: "state", text: "running" })]);
    // The points of a long run are far apart, so most ticks write nothing.
    expect(store.writes).toBeLessThan(1_000);
  });

  it("writes a turn between two points, and the end once", async () => {
    const store = itemStore();
    await recordHistory(store, at(0));
    await recordHistory(store, { ...at(0), at: "2026-03-01T00:00:00.500Z", status: "succeeded" });
    await recordHistory(store, at(1, { status: "succeeded" }));
    await recordHistory(store, at(2, { status: "succeeded" }));
    const { points, marks } = (await loadHistory(store, RUN)) ?? {};
    expect(marks?.map(({ text }) => text)).toEqual(["running", "succeeded"]);
    expect({ points: points?.length, writes: store.writes }).toEqual({ points: 1, writes: 2 });
  });

  it.each([
    ["", "{"],
    ["of another version", '{"runId":"x"}'],
  ])("begins anew where it cannot be read: %s", async (_, text) => {
    const store = itemStore(text);
    expect(await loadHistory(store, RUN)).toBeNull();
    await recordHistory(store, at(0));
    expect((await loadHistory(store, RUN))?.points).toHaveLength(1);
  });

  it("issue 17.2: keeps its last hour and day, reads what an older version stored, and is less than half of its size", async () => {
    const store = itemStore();
    for (let minute = 0; minute < 3_000; minute += 1) await recordHistory(store, at(minute));
    const history = await loadHistory(store, RUN);
    if (history === null) throw new Error("there is no history");
    expect(history.day.length).toBeGreaterThan(100);
    expect(history.hour.length).toBeGreaterThan(3);
    const asBefore = JSON.stringify(history);
    expect((store.history ?? "").length).toBeLessThan(asBefore.length * 0.45);
    expect((store.history ?? "").length).toBeLessThan(30_000);
    expect(await loadHistory(itemStore(asBefore), RUN)).toEqual(history);
    const { hour: _hour, day: _day, ...older } = history;
    expect(await loadHistory(itemStore(JSON.stringify(older)), RUN)).toEqual({ ...history, hour: [], day: [] });
  });
});
