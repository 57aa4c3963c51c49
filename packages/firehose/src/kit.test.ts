/** The relay behind the port: what is opened, what a window says, and what is remembered. The reader itself is a stand-in. */
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { cursorAt } from "@firehose-backfill/source/cursor";
import type { OpenOptions } from "@firehose-backfill/source/kit";
import { needsNewStart } from "@firehose-backfill/source/verdict";
import { describe, expect, test } from "vitest";
import { relayKit } from "./kit.ts";
import { readState, writeState } from "./relay-state.ts";
import { verdictOf } from "./relay-verdict.ts";
import { AMPLE, never } from "@firehose-backfill/testing/firehose/reading";
import type { FirehoseReaderOptions, Window, WindowEnd } from "./types.ts";

const NOW = Date.UTC(2026, 10, 24);
const RUN: OpenOptions = {
  runId: "run-1",
  source: { kind: "relay", host: "relay.example:443" },
  scope: parseConfig({ RELAY_URL: "wss://relay.example" }).settings,
  start: { kind: "oldest" },
  end: { kind: "caught-up" },
  cursor: null,
  applied: null,
  state: null,
  isMoved: false,
  createdAtMs: NOW,
  leftMs: 40_000,
  signal: never(),
  isMemoryTight: () => false,
  memoryCheckInterval: 100,
  log: () => {},
};
const WINDOW: Window = {
  events: new EventLog(),
  received: 3,
  skipped: { did: 3 },
  ignored: { "unknown-type": 2, info: 1 },
  frames: 4,
  bytes: 400,
  from: null,
  to: { seq: 9, timeMs: NOW - 1 },
  first: { seq: 6, timeMs: NOW - 4 },
  startReached: true,
  recentTimesMs: [NOW - 4, NOW - 1],
  hostSeen: true,
  brokenFrames: 0,
  gaps: [{ from: { seq: 1, timeMs: 1 }, to: { seq: 6, timeMs: 6 }, reason: "gone" }],
  oldestKeptMs: null,
  endedBecause: "idle",
  detail: null,
};
const SILENCE: Partial<Window> = { to: null, first: null, frames: 0, received: 0, recentTimesMs: [], gaps: [] };

/** Opens a relay whose reader gives these windows. */
async function open(windows: readonly Partial<Window>[], run: Partial<OpenOptions> = {}) {
  const opened: FirehoseReaderOptions[] = [];
  const left = [...windows];
  const kit = relayKit({
    clock: { now: () => NOW, sleep: () => Promise.resolve() },
    random: () => 0.5,
    userAgent: "agent",
    sampleRelayUrl: null,
    seekCursor: (options) =>
      Promise.resolve({
        endedBecause: "found",
        from: { seq: 77, timeMs: options.startTimeMs - 600_000 },
        oldestKept: { seq: 5, timeMs: NOW - 999_000_000 },
        head: null,
        isClamped: false,
        probes: 3,
        detail: null,
      }),
    openReader: (options) => {
      opened.push(options);
      return {
        readWindow: () => Promise.resolve({ ...WINDOW, ...left.shift() }),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    },
  });
  const source = await kit.open({ ...RUN, ...run });
  const [given] = opened;
  return {
    position: given?.position,
    url: given?.url,
    say: given?.onLog,
    read: () => source.readWindow({ ...AMPLE, maxRange: 5, maxRangeBytes: 100_000 }, never()),
  };
}

describe("a relay that is opened", () => {
  test("reads from the cursor, with what the state remembers", async () => {
    const facts = { startReached: true, hostSeen: true, brokenFrames: 1, recentTimesMs: [NOW] };
    const { position, url } = await open([], {
      cursor: cursorAt(8, NOW - 5),
      state: writeState(facts),
      start: { kind: "seq", seq: 3 },
      end: { kind: "seq", seq: 50 },
    });
    expect(url).toBe("wss://relay.example");
    expect(position).toEqual({
      cursor: { seq: 8, timeMs: NOW - 5 },
      start: { seq: 3 },
      startTimeMs: null,
      endTimeMs: Number.POSITIVE_INFINITY,
      endSeq: 50,
      ...facts,
    });
  });

  test("forgets the times once the cursor was set elsewhere, and waits for a first frame since the run began", async () => {
    const state = writeState({ startReached: true, hostSeen: false, brokenFrames: 2, recentTimesMs: [NOW] });
    const { position } = await open([], { cursor: cursorAt(8, NOW), state, isMoved: true });
    expect(position).toMatchObject({ startReached: true, brokenFrames: 0, recentTimesMs: [], silentSinceMs: NOW });
  });

  test("seeks a start by time once, and says how far back the host goes", async () => {
    const start = { kind: "time", timeMs: NOW - 86_400_000 } as const;
    const { position, read } = await open([], { start });
    expect(position).toMatchObject({ cursor: null, start: { seq: 77 }, startTimeMs: start.timeMs });
    expect(await read()).toMatchObject({ keptSinceMs: NOW - 999_000_000, startKeptSinceMs: NOW - 999_000_000 });
    const again = await open([], { start, cursor: cursorAt(80, NOW) });
    expect(again.position).toMatchObject({ cursor: { seq: 80 }, start: "oldest" });
  });

  test("says what its reader says, on one line", async () => {
    const lines: string[] = [];
    const { say } = await open([], { log: (line) => void lines.push(line) });
    say?.("the host said\nwhat it wanted");
    expect(lines).toEqual(["[BACKFILL] the host said\\nwhat it wanted"]);
  });

  test("needs an address", async () => {
    const scope = { ...RUN.scope, relayUrl: null };
    await expect(open([], { scope })).rejects.toThrow("RELAY_URL is not set, and there is no sample relay here");
  });
});

describe("a window of a relay", () => {
  test("has cursors, and its frames are units", async () => {
    const { read } = await open([{}]);
    expect(await read()).toMatchObject({
      received: 3,
      skipped: { did: 3 },
      units: 4,
      unknown: 2,
      to: cursorAt(9, NOW - 1),
      first: cursorAt(6, NOW - 4),
      keptSinceMs: null,
      startKeptSinceMs: NOW - 4,
      gaps: [{ from: cursorAt(1, 1), to: cursorAt(6, 6), reason: "gone" }],
      verdict: { kind: "more", isFull: false },
    });
  });

  test("has a new state where the cursor moved, or something is new without that", async () => {
    const silent = { ...SILENCE, hostSeen: false, startReached: false };
    const broken = { ...SILENCE, brokenFrames: 1, recentTimesMs: [NOW], startReached: true };
    const { read } = await open([silent, {}, SILENCE, broken, broken]);
    expect((await read()).state).toBeNull();
    const { state } = await read();
    expect(readState(state)).toEqual({
      startReached: true,
      hostSeen: true,
      brokenFrames: 0,
      recentTimesMs: [NOW - 4, NOW - 1],
    });
    expect((await read()).state).toBe(state);
    // Times are those at the cursor, whatever came behind it.
    const atBreak = (await read()).state;
    expect(readState(atBreak)).toEqual({ ...readState(state), brokenFrames: 1 });
    expect((await read()).state).toBe(atBreak);
  });

  test.each<[WindowEnd, object]>([
    ["events", { kind: "more", isFull: true }],
    ["bytes", { kind: "more", isFull: false }],
    ["time", { kind: "more", isFull: false }],
    ["idle", { kind: "more", isFull: false }],
    ["bad-frame", { kind: "more", isFull: false }],
    ["caught-up", { kind: "end", word: "caught-up" }],
    ["quiet", { kind: "end", word: "quiet" }],
    ["aborted", { kind: "stopped" }],
    ["memory", { kind: "memory" }],
    ["unreachable", { kind: "retry", reason: "HTTP\\u001b 503" }],
    ["refused", { kind: "fail", reason: "the host refused: HTTP\\u001b 503" }],
    ["host-silent", { kind: "fail", reason: "the host is silent" }],
    ["silent-on-cursor", { kind: "fail", reason: "the host is silent on our cursor" }],
    ["cursor-ahead", { kind: "pause", reason: "the cursor is ahead of the host" }],
    ["seq-went-back", { kind: "pause", reason: "the host's sequence numbers went back" }],
  ])("that ended because of %s has a verdict", (endedBecause, verdict) => {
    const found = verdictOf({ endedBecause, detail: "HTTP\u001b 503" });
    expect(found).toEqual(verdict);
    expect(needsNewStart("reason" in found ? found.reason : null)).toBe(found.kind === "pause");
  });
});
