import { systemClock } from "@firehose-backfill/core/clock";
import { describe, expect, it } from "vitest";
import type { ProbeResult } from "./probe.ts";
import { seekCursor, type SeekOptions, type SeekResult } from "./seek.ts";
import { errorFrame, infoFrame, markerFrame } from "@firehose-backfill/testing/firehose/frames";
import { handClock } from "@firehose-backfill/testing/firehose/hand-clock";
import { openReader, readToEnd } from "@firehose-backfill/testing/firehose/reading";
import { startRelay, type ScriptedRelayOptions, type Visit } from "@firehose-backfill/testing/firehose/scripted-relay";

const BASE_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
const SECOND_MS = 1_000;
/** Frames beyond a sample are not looked at; a relay would go on. */
const SENT = 150;

interface Served {
  readonly seq: number;
  readonly timeMs: number;
}

interface Manners {
  /** A relay that keeps the cursor's own frame in. */
  readonly isInclusive?: boolean;
  readonly isSilentFloor?: boolean;
  readonly isLive?: boolean;
  readonly goesLiveAboveHead?: boolean;
}

const bytesOf = ({ seq, timeMs }: Served): Buffer =>
  markerFrame("#identity", seq, { time: new Date(timeMs).toISOString() });

/** Serves positions with the manners of one host or another. */
function relayOf(frames: readonly Served[], manners: Manners = {}): ScriptedRelayOptions {
  const headSeq = frames.at(-1)?.seq ?? 0;
  const live = ({ socket }: Visit): void => {
    if (manners.isLive !== false) for (const frame of frames.slice(-20)) socket.send(bytesOf(frame));
  };
  return {
    onConnect: (visit) => {
      const { socket } = visit;
      const cursor = Number(visit.cursor);
      if (visit.cursor === null || (cursor > headSeq && manners.goesLiveAboveHead === true)) return live(visit);
      if (cursor > headSeq) return socket.send(errorFrame("FutureCursor"));
      const isOutdated = cursor > 0 && cursor < (frames[0]?.seq ?? 0);
      if (isOutdated && manners.isSilentFloor !== true) socket.send(infoFrame("OutdatedCursor"));
      const first = frames.findIndex(({ seq }) => (manners.isInclusive === true ? seq >= cursor : seq > cursor));
      if (first !== -1) for (const frame of frames.slice(first, first + SENT)) socket.send(bytesOf(frame));
    },
  };
}

/** One frame a second, `seqStep` apart. */
function evenly(count: number, options: { firstSeq?: number; seqStep?: number; fromMs?: number } = {}): Served[] {
  const { firstSeq = 5_000_000_000, seqStep = 1, fromMs = BASE_MS } = options;
  return Array.from({ length: count }, (_, index) => ({
    seq: firstSeq + index * seqStep,
    timeMs: fromMs + index * SECOND_MS,
  }));
}

const QUICK = { spacingMs: 0, listenMs: 100, listenOldestMs: 300, sampleMs: 50, connectTimeoutMs: 2_000 };

async function seek(
  script: ScriptedRelayOptions,
  startTimeMs: number,
  options: Partial<SeekOptions> = {},
): Promise<SeekResult & { visits: readonly Visit[]; mostOpen: number }> {
  await using relay = await startRelay(script);
  const signal = new AbortController().signal;
  const rest = { clock: systemClock, random: () => 0.5, userAgent: "test", limits: QUICK };
  const result = await seekCursor({ url: relay.url, startTimeMs, ...rest, ...options }, signal);
  return { ...result, visits: relay.visits, mostOpen: relay.mostOpen() };
}

describe("on real sockets", () => {
  const frames = evenly(40_000);
  const startMs = BASE_MS + 30_000 * SECOND_MS;

  it.each<[string, Manners, number]>([
    ["of a PDS", {}, 10],
    ["of the Go relay", { isSilentFloor: true, goesLiveAboveHead: true }, 10],
    ["of rainbow", { isInclusive: true, isSilentFloor: true }, 10],
    ["of a quiet host", { isLive: false }, 20],
    ["of a quiet host that goes live above its head", { isLive: false, goesLiveAboveHead: true }, 20],
  ])("finds a start by the manners %s", async (_, manners, most) => {
    const result = await seek(relayOf(frames, manners), startMs);
    expect(result).toMatchObject({
      endedBecause: "found",
      isClamped: false,
      oldestKept: { seq: frames[0]?.seq },
      head: manners.isLive === false ? null : { seq: frames.at(-20)?.seq },
    });
    // Ten minutes of margin, two of tolerance, and the half of a sample.
    const index = (result.from?.seq ?? 0) - 5_000_000_000;
    expect(index).toBeLessThan(30_000 - 600);
    expect(index).toBeGreaterThan(30_000 - 600 - 2_000 - 51);
    expect(result.probes).toBe(result.visits.length);
    expect(result.probes).toBeLessThanOrEqual(most);
    expect(result.mostOpen).toBe(1);
  });

  it("a start before the oldest frame is clamped after one look", async () => {
    const result = await seek(relayOf(frames), BASE_MS - HOUR_MS);
    expect(result).toMatchObject({ endedBecause: "oldest", from: null, isClamped: true, probes: 1 });
  });

  it("a start next to the oldest frame is not worth a second look", async () => {
    const result = await seek(relayOf(frames), BASE_MS + 500_000);
    expect(result).toMatchObject({ endedBecause: "oldest", from: null, isClamped: false, probes: 1 });
  });

  it("a start after the head begins at the head", async () => {
    const result = await seek(relayOf(frames), BASE_MS + 48 * HOUR_MS);
    expect(result).toMatchObject({ endedBecause: "found", from: { seq: frames.at(-20)?.seq }, probes: 2 });
  });

  it("holes in seq and time: the last frames before a hole are found", async () => {
    const early = evenly(5_000);
    const late = evenly(5_000, { firstSeq: 7_000_000_000, fromMs: BASE_MS + 30 * HOUR_MS });
    const result = await seek(relayOf([...early, ...late]), BASE_MS + 20 * HOUR_MS);
    const index = (result.from?.seq ?? 0) - 5_000_000_000;
    expect(index).toBeGreaterThan(5_000 - 2_001);
    expect(index).toBeLessThan(5_000);
    expect(result.probes).toBeLessThanOrEqual(40);
  });

  it("single clocks that are wrong move nothing", async () => {
    const skewed = frames.map((frame, index) => {
      const wrongByMs = [-900 * HOUR_MS, 0, 0, 0, 900 * HOUR_MS, 0, 0][index % 7] ?? 0;
      return { ...frame, timeMs: frame.timeMs + wrongByMs };
    });
    const result = await seek(relayOf(skewed, { isSilentFloor: true }), startMs);
    const index = (result.from?.seq ?? 0) - 5_000_000_000;
    expect(index).toBeLessThan(30_000 - 550);
    expect(index).toBeGreaterThan(30_000 - 600 - 2_000 - 51);
  });

  it("the floor rises while it is sought: what is gone is not found", async () => {
    let visits = 0;
    const script: ScriptedRelayOptions = {
      onConnect: (visit) => {
        const kept = visits++ < 2 ? frames : frames.slice(29_900);
        relayOf(kept, { isSilentFloor: true }).onConnect?.(visit);
      },
    };
    const result = await seek(script, startMs);
    expect(result).toMatchObject({ endedBecause: "found", from: null, oldestKept: { seq: frames[0]?.seq } });
    expect(result.probes).toBeLessThanOrEqual(40);
  });

  it("a reader that begins there brings what one from the oldest brings", async () => {
    const few = evenly(4_000, { seqStep: 7 });
    const startTimeMs = BASE_MS + 3_500 * SECOND_MS;
    const onConnect = ({ cursor, socket }: Visit): void => {
      for (const frame of few) if (cursor !== null && frame.seq > Number(cursor)) socket.send(bytesOf(frame));
      if (cursor === null) for (const frame of few.slice(-20)) socket.send(bytesOf(frame));
    };
    const { from } = await seek({ onConnect }, startTimeMs);
    if (from === null) throw new Error("nothing was found");
    await using relay = await startRelay({ onConnect });
    const endSeq = few.at(-1)?.seq ?? 0;
    const readFrom = async (start: "oldest" | { seq: number }) => {
      await using reader = openReader({ url: relay.url, position: { start, startTimeMs, endSeq } });
      return await readToEnd(reader);
    };
    const sought = await readFrom({ seq: from.seq });
    const whole = await readFrom("oldest");
    expect(sought.seqs).toEqual(whole.seqs);
    expect(sought.seqs).toHaveLength(500);
    expect(sought.received).toBeLessThan(whole.received / 2);
  });
});

describe("what goes wrong", () => {
  it.each<[string, ScriptedRelayOptions, Partial<SeekResult>]>([
    ["a silent host", {}, { endedBecause: "silent", probes: 1, detail: null }],
    [
      "a host that closes",
      { onConnect: ({ socket }) => socket.close(1001) },
      { endedBecause: "failed", probes: 3, detail: "closed with 1001" },
    ],
    [
      "a host that wants to be left alone",
      { onUpgrade: (socket) => socket.end("HTTP/1.1 429 No\r\nRetry-After: 9\r\n\r\n") === socket },
      { endedBecause: "failed", probes: 1, detail: "HTTP 429" },
    ],
    [
      "an error frame",
      { onConnect: ({ socket }) => socket.send(errorFrame("ConsumerTooSlow")) },
      { endedBecause: "failed", probes: 1, detail: "the host said ConsumerTooSlow: ConsumerTooSlow it is" },
    ],
  ])("%s: nothing is found", async (_, script, expected) => {
    expect(await seek(script, BASE_MS)).toMatchObject({ from: null, oldestKept: null, ...expected });
  });

  it("a failure in between is made up for, and what was found counts when there are too many", async () => {
    // A pace that changes, so that there is more to do than one look.
    const slow = evenly(4_000, { seqStep: 900 });
    const frames = [...slow, ...evenly(40_000, { firstSeq: 5_004_000_000, fromMs: BASE_MS + 4_000 * SECOND_MS })];
    const startMs = BASE_MS + 30_000 * SECOND_MS;
    const failing = (isBad: (visit: number) => boolean): ScriptedRelayOptions => {
      let visits = 0;
      return {
        onConnect: (visit) => {
          if (isBad(visits++)) visit.socket.terminate();
          else relayOf(frames).onConnect?.(visit);
        },
      };
    };
    const good = await seek(
      failing((visit) => visit === 1 || visit === 3),
      startMs,
    );
    expect(good.endedBecause).toBe("found");
    const bad = await seek(
      failing((visit) => visit >= 3),
      startMs,
    );
    expect(bad).toMatchObject({ endedBecause: "failed", probes: 6, detail: expect.stringContaining("closed") });
    expect(bad.from?.seq).toBeGreaterThan(5_000_000_000);
    expect(bad.from?.timeMs).toBeLessThan(startMs);
  });
});

describe("politeness, on a clock of its own", () => {
  /** A host whose every frame leads a little further. */
  const endless = (cursor: number | null): ProbeResult => {
    const seq = cursor === 0 ? 1 : (cursor ?? 2 ** 50);
    const at = (index: number) => ({ seq: seq + index, timeMs: Math.log2(seq) });
    const sample = Array.from({ length: 20 }, (_, index) => at(index));
    return { kind: "frame", position: at(0), isOutdated: false, sample };
  };

  async function patiently(options: Partial<SeekOptions>, signal = new AbortController().signal) {
    const clock = handClock(0);
    const beginnings: number[] = [];
    const probe: NonNullable<SeekOptions["probe"]> = async (cursor) => {
      beginnings.push(clock.now());
      await clock.sleep(20);
      return endless(cursor);
    };
    const rest = { url: "ws://127.0.0.1", userAgent: "test", random: () => 0, probe };
    const seeking = seekCursor(
      { startTimeMs: 50, clock, limits: { marginMs: 1, toleranceMs: 0 }, ...rest, ...options },
      signal,
    );
    const state = { isOver: false };
    void seeking.finally(() => (state.isOver = true));
    while (!state.isOver) await clock.advance(100);
    return { result: await seeking, beginnings, endedMs: clock.now() };
  }

  it("no more than two connections a second, the reader's next one included", async () => {
    const { result, beginnings, endedMs } = await patiently({ maxMs: 60_000 });
    expect(result.probes).toBeGreaterThan(5);
    const gaps = beginnings.slice(1).map((at, index) => at - (beginnings[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(500);
    expect(endedMs - (beginnings.at(-1) ?? 0)).toBeGreaterThanOrEqual(500);
  });

  it("they come at uneven times", async () => {
    let turn = 0;
    const { beginnings } = await patiently({ maxMs: 60_000, random: () => (turn++ % 3) / 3 });
    const gaps = new Set(beginnings.slice(1).map((at, index) => at - (beginnings[index] ?? 0)));
    expect(gaps.size).toBeGreaterThan(1);
  });

  it("ends when its probes or its time are used up, with what it has", async () => {
    const few = await patiently({ maxMs: 60_000, limits: { marginMs: 1, toleranceMs: 0, maxProbes: 5 } });
    expect(few.result).toMatchObject({ endedBecause: "limit", probes: 5 });
    const short = await patiently({ maxMs: 2_000 });
    expect(short.result.endedBecause).toBe("limit");
    expect(short.endedMs).toBeLessThan(3_500);
    expect(short.result.from?.timeMs ?? 0).toBeLessThan(49);
  });

  it("ends on abort", async () => {
    const { result } = await patiently({}, AbortSignal.abort());
    expect(result).toMatchObject({ endedBecause: "aborted", from: null, probes: 0 });
  });
});
