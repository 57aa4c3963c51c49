import { cursorAt } from "@firehose-backfill/source/cursor";
import type { OpenOptions } from "@firehose-backfill/source/kit";
import { describe, expect, it } from "vitest";
import { findStart } from "./find-start.ts";
import type { SeekOptions, SeekResult } from "./seek.ts";

const NOW = Date.UTC(2026, 10, 24);
const DAY_MS = 86_400_000;
type Opened = Pick<OpenOptions, "start" | "cursor"> & { readonly startReached: boolean };
const NOTHING: SeekResult = {
  endedBecause: "oldest",
  from: null,
  oldestKept: null,
  head: null,
  isClamped: false,
  probes: 1,
  detail: null,
};

async function find(result: Partial<SeekResult>, fields: Partial<Opened> = {}) {
  const asked: SeekOptions[] = [];
  const lines: string[] = [];
  const deps = {
    clock: { now: () => NOW, sleep: () => Promise.resolve() },
    random: () => 0.5,
    userAgent: "agent",
    seekCursor: (options: SeekOptions) => {
      asked.push(options);
      return Promise.resolve({ ...NOTHING, ...result });
    },
  };
  const run = {
    start: { kind: "time", timeMs: NOW - DAY_MS } as const,
    cursor: null,
    startReached: false,
    leftMs: 40_000,
    signal: new AbortController().signal,
    log: (line: string) => void lines.push(line),
  };
  const url = "wss://relay.example";
  const start = await findStart(deps, { ...run, ...fields }, url);
  return { start, asked, lines, without: await findStart({ ...deps, seekCursor: null }, run, url) };
}

describe("where a run begins to read", () => {
  it("a start by time is sought, in half of the tick at most, and said aloud", async () => {
    const from = { seq: 77, timeMs: NOW - DAY_MS - 650_000 };
    const oldestKept = { seq: 5, timeMs: NOW - 3 * DAY_MS };
    const { start, asked, lines } = await find({ from, oldestKept, probes: 7 });
    expect(start).toEqual({ seq: 77, oldestKeptMs: oldestKept.timeMs });
    expect(asked).toMatchObject([
      { url: "wss://relay.example", startTimeMs: NOW - DAY_MS, userAgent: "agent", maxMs: 20_000 },
    ]);
    expect(lines).toEqual([
      "[BACKFILL] Start at 2026-11-23T00:00:00.000Z: reading from seq 77 (2026-11-22T23:49:10.000Z), found in 7 looks",
    ]);
  });

  it("from the oldest where that is no older, or nothing was found; a failure is said", async () => {
    const oldestKept = { seq: 5, timeMs: NOW - 3_600_000 };
    expect(await find({ oldestKept })).toMatchObject({
      start: { seq: null, oldestKeptMs: NOW - 3_600_000 },
      lines: [],
    });
    const failed = await find({ endedBecause: "failed", detail: "HTTP 429" });
    expect(failed.start).toEqual({ seq: null, oldestKeptMs: null });
    expect(failed.lines).toEqual(["[BACKFILL] The start could not be sought (HTTP 429): reading from the oldest"]);
  });

  it.each<[string, Partial<Opened>]>([
    ["has a cursor", { cursor: cursorAt(9, NOW) }],
    ["has reached its start", { startReached: true }],
    ["begins at a seq", { start: { kind: "seq", seq: 3 } }],
    ["begins live", { start: { kind: "live" } }],
    ["begins at the oldest", { start: { kind: "oldest" } }],
  ])("nothing is sought for a run that %s", async (_, fields) => {
    const { start, asked } = await find({ from: { seq: 77, timeMs: NOW } }, fields);
    expect(asked).toEqual([]);
    expect(start).toEqual({ seq: null, oldestKeptMs: null });
  });

  it("nothing is sought where nobody can", async () => {
    expect((await find({ from: { seq: 77, timeMs: NOW } })).without).toEqual({ seq: null, oldestKeptMs: null });
  });
});
