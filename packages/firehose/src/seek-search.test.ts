import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Look, startSeekSearch } from "./seek-search.ts";
import { type ModelFrame, type ModelManners, probeModel } from "@firehose-backfill/testing/firehose/stream-model";

const HOUR_MS = 3_600_000;
const TOLERANCE_MS = 120_000;
const BASE_MS = Date.UTC(2026, 0, 1);

/** Follows the search to its end; counts the looks. */
function follow(
  frames: readonly ModelFrame[],
  beforeMs: number,
  manners: ModelManners,
  isHeadKnown = manners.isLive,
): { low: number; looks: number } {
  const probe = probeModel(frames, manners);
  const [oldest] = frames;
  const head = frames.at(-1);
  if (oldest === undefined || head === undefined) throw new Error("an empty stream");
  const search = startSeekSearch({
    oldest: { seq: oldest.seq, timeMs: oldest.trueMs },
    head: isHeadKnown ? { seq: head.seq, timeMs: head.timeMs } : null,
    beforeMs,
    toleranceMs: TOLERANCE_MS,
  });
  let looks = 0;
  for (let cursor = search.next(); cursor !== null && looks < 60; cursor = search.next()) {
    looks++;
    const result = probe(cursor);
    const look: Look =
      result.kind === "frame" ? { kind: "frames", sample: result.sample ?? [result.position] } : { kind: "nothing" };
    search.learn(cursor, look);
  }
  return { low: search.low().seq, looks };
}

const PDS: ModelManners = { fromCursor: "above", aboveHead: "future-cursor", isLive: true };

/** Frames at an even pace. */
function evenly(count: number, options: { step: number; seqStep: number }): ModelFrame[] {
  return Array.from({ length: count }, (_, index) => {
    const trueMs = BASE_MS + index * options.step;
    return { seq: 5_000_000_000 + index * options.seqStep, trueMs, timeMs: trueMs };
  });
}

/** Stretches of a stream: how many frames, how dense in seq and time, and what lies between them and the next. */
const stretches = fc.array(
  fc.record({
    frames: fc.integer({ min: 1, max: 4_000 }),
    seqStep: fc.constantFrom(1, 2, 50, 3_000),
    stepMs: fc.constantFrom(0, 1, 40, 2_000, 60_000),
    seqHole: fc.constantFrom(0, 0, 1_000, 50_000_000, 2 ** 33),
    timeHoleMs: fc.constantFrom(0, 0, 60_000, 5 * HOUR_MS, 30 * HOUR_MS),
  }),
  { minLength: 1, maxLength: 6 },
);

const streams = fc.record({
  parts: stretches,
  /** One frame in so many is of a host whose clock is wrong. */
  wrongEvery: fc.integer({ min: 3, max: 9 }),
  wrongByHours: fc.integer({ min: -2_000, max: 2_000 }),
});

type Stream = typeof streams extends fc.Arbitrary<infer Value> ? Value : never;

function framesOf({ parts, wrongEvery, wrongByHours }: Stream): ModelFrame[] {
  const frames: ModelFrame[] = [];
  let seq = 5_000_000_000;
  let trueMs = BASE_MS;
  for (const part of parts) {
    for (let left = part.frames; left > 0; left--) {
      seq += part.seqStep;
      trueMs += part.stepMs;
      const isWrong = frames.length % wrongEvery === 0;
      frames.push({ seq, trueMs, timeMs: isWrong ? trueMs + wrongByHours * HOUR_MS : trueMs });
    }
    seq += part.seqHole;
    trueMs += part.timeHoleMs;
  }
  return frames;
}

const manners = fc.record<ModelManners>({
  fromCursor: fc.constantFrom("above", "at"),
  aboveHead: fc.constantFrom("future-cursor", "live"),
  isLive: fc.boolean(),
});

describe("a search for a moment", () => {
  it.each([
    ["dense", 200_000, { step: 1_300, seqStep: 1_000 }],
    ["sparse", 20_000, { step: 13_000, seqStep: 400_000 }],
  ])("an even stream takes a handful of looks: %s", (_, count, pace) => {
    const frames = evenly(count, pace);
    for (const share of [0.01, 0.3, 0.5, 0.99]) {
      const beforeMs = BASE_MS + share * count * pace.step;
      const { low, looks } = follow(frames, beforeMs, PDS);
      const found = frames.find(({ seq }) => seq === low);
      expect(beforeMs - (found?.trueMs ?? 0)).toBeLessThan(TOLERANCE_MS + 101 * pace.step);
      expect(looks).toBeLessThan(8);
    }
  });

  it("without a known head it goes by the pace so far", () => {
    const frames = evenly(100_000, { step: 1_000, seqStep: 1 });
    const { low, looks } = follow(frames, BASE_MS + 80_000_000, { ...PDS, isLive: false });
    expect(low - 5_000_000_000).toBeGreaterThan(80_000 - 2_001);
    expect(low - 5_000_000_000).toBeLessThan(80_000);
    expect(looks).toBeLessThan(8);
  });

  it("nothing to find next to the oldest frame", () => {
    expect(follow(evenly(9_000, { step: 1_000, seqStep: 1 }), BASE_MS + 60_000, PDS)).toMatchObject({ looks: 0 });
    expect(follow(evenly(1_500, { step: 9_000, seqStep: 1 }), BASE_MS + HOUR_MS, PDS)).toMatchObject({ looks: 0 });
  });

  it("too few frames to tell the time move nothing", () => {
    // One account's clock is a month behind, and only its frames are at the head.
    const frames = evenly(30_000, { step: 1_000, seqStep: 1 });
    const liars = Array.from({ length: 8 }, (_, index) => ({
      seq: 5_000_900_000 + index,
      trueMs: BASE_MS + 31_000_000,
      timeMs: BASE_MS - 30 * 24 * HOUR_MS,
    }));
    const { low } = follow([...frames, ...liars], BASE_MS + 10_000_000, PDS, false);
    expect(low).toBeLessThan(5_000_010_000);
    expect(low).toBeGreaterThan(5_000_007_999);
  });

  it("any stream: never past the moment, near it, and within the looks allowed", () => {
    fc.assert(
      fc.property(streams, manners, fc.double({ min: 0.05, max: 1.05, noNaN: true }), (stream, how, share) => {
        const frames = framesOf(stream);
        const [first] = frames;
        const last = frames.at(-1);
        if (first === undefined || last === undefined) return;
        const beforeMs = first.trueMs + (last.trueMs - first.trueMs) * share;
        const { low, looks } = follow(frames, beforeMs, how);
        const at = frames.findIndex(({ seq }) => seq >= low);
        const isPast = (frames[at]?.trueMs ?? 0) >= beforeMs;
        expect(isPast && low > first.seq).toBe(false);
        const missed = frames.slice(at).filter(({ trueMs }) => trueMs < beforeMs - TOLERANCE_MS).length;
        expect(missed).toBeLessThanOrEqual(2_000 + 101);
        expect(looks).toBeLessThanOrEqual(38);
      }),
      { numRuns: 300, seed: 6 },
    );
  });
});
