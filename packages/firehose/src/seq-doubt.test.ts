import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  firstBelieved,
  judgeSeq,
  lastBelieved,
  LARGE_STEP,
  LOOK_AHEAD,
  type Patience,
  type SeqVerdict,
  VOTES,
} from "./seq-doubt.ts";

const HIGH = 1_000_000;
const from = (first: number, count = VOTES) => Array.from({ length: count }, (_, index) => first + index);

describe("judgeSeq", () => {
  it.each<[string, number, readonly number[], SeqVerdict, Patience?]>([
    ["the stream goes on below it", HIGH, from(76), "outlier"],
    ["the stream goes on above it: a real jump", HIGH, from(HIGH + 1), "fits"],
    ["a hole", 80, from(81), "fits"],
    ["a small step that is not true", 80, from(76), "outlier"],
    ["a true one, and one behind it that is not", 80, [75, ...from(81, 7)], "fits"],
    ["a true one, and one far above behind it", 80, [HIGH, ...from(81)], "fits"],
    ["the first of three", HIGH, [HIGH + 1, HIGH + 2, ...from(76, 6)], "outlier"],
    ["2 too high", 77, [75, ...from(77, 7)], "outlier"],
    ["the same number again", HIGH, [HIGH, ...from(HIGH + 1, 3)], "fits"],
    ["far below, and the stream goes on", 5, from(76), "outlier"],
    ["far below, and the stream stays there", 5, from(6), "went-back"],
    ["far below, two of which one is above", 5, [6, HIGH, 7, 8, 9], "went-back"],
    ["a hole before the host begins anew", 80, from(1), "fits"],
    ["far above before the host begins anew", HIGH, from(1), "outlier"],
    ["nobody yet", HIGH, [], "wait"],
    ["too few", HIGH, from(76, VOTES - 1), "wait"],
    ["a hole, one behind it, a pause", 80, [81], "fits", "pause"],
    ["a hole, nobody behind it, a pause", 80, [], "wait", "pause"],
    ["a hole, nobody behind it, silence", 80, [], "fits", "silence"],
    ["far above, three below it, a pause", HIGH, from(76, 3), "outlier", "pause"],
    ["far above, one below it, a pause", HIGH, [76], "wait", "pause"],
    ["far above, one behind it, a pause", HIGH, [HIGH + 1], "wait", "pause"],
    ["far above, one behind it, silence", HIGH, [HIGH + 1], "fits", "silence"],
    ["far above, one below it, silence", HIGH, [76], "outlier", "silence"],
    ["far above, nobody behind it, silence", HIGH, [], "wait", "silence"],
    ["far above, nobody behind it, the end", HIGH, [], "outlier", "end"],
    ["far below, a pause", 5, [], "wait", "pause"],
    ["far below, silence", 5, [], "went-back", "silence"],
    ["far below, one above, silence", 5, [76], "outlier", "silence"],
  ])("%s", (_, seq, following, verdict, patience = "none") => {
    expect(judgeSeq({ seq, last: 74, isPlaced: true, following }, patience)).toBe(verdict);
  });

  it.each<[string, number, readonly number[], SeqVerdict, Patience?]>([
    ["a host of large numbers", HIGH, from(HIGH + 1), "fits"],
    ["whose first frame is wrong", HIGH, from(2), "outlier"],
    ["that has one frame", HIGH, [], "fits", "silence"],
    ["that has one frame, soon", 500, [], "fits", "pause"],
  ])("at a start, %s", (_, seq, following, verdict, patience = "none") => {
    expect(judgeSeq({ seq, last: 0, isPlaced: false, following }, patience)).toBe(verdict);
  });

  it("decides at the end, whatever came", () => {
    const seqs = fc.integer({ min: 1, max: 3 * LARGE_STEP });
    fc.assert(
      fc.property(seqs, seqs, fc.boolean(), fc.array(seqs, { maxLength: 12 }), (seq, last, isPlaced, following) => {
        expect(judgeSeq({ seq, last, isPlaced, following }, "end")).not.toBe("wait");
      }),
    );
  });

  it("decides when as many frames as it looks at are there, whatever they are", () => {
    const near = fc.integer({ min: 1, max: 5 });
    const many = fc.array(near, { minLength: LOOK_AHEAD, maxLength: 3 * LOOK_AHEAD });
    fc.assert(
      fc.property(near, near, many, (seq, last, following) => {
        const place = { seq, last, isPlaced: true };
        const verdict = judgeSeq({ ...place, following }, "none");
        expect(verdict).not.toBe("wait");
        expect(judgeSeq({ ...place, following: following.slice(0, LOOK_AHEAD) }, "none")).toBe(verdict);
      }),
    );
  });

  it("more frames never change what was decided by those that were there", () => {
    const near = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(near, near, fc.array(near, { maxLength: 12 }), fc.array(near), (seq, last, following, later) => {
        const place = { seq, last, isPlaced: true };
        const before = judgeSeq({ ...place, following }, "none");
        const after = judgeSeq({ ...place, following: [...following, ...later].slice(0, LOOK_AHEAD) }, "none");
        expect(before === "wait" || before === after).toBe(true);
      }),
    );
  });
});

describe("of a sample", () => {
  it.each([
    [[], -1],
    [[7], 0],
    [[HIGH, 7, 8, 9], 1],
    [[7, HIGH, 8, 9], 0],
    [[HIGH, HIGH + 1, HIGH + 2], 0],
    [[HIGH, HIGH + 1, 7, 8, 9, 10], 2],
  ])("the first that is believed of %j is number %i", (seqs, index) => {
    expect(firstBelieved(seqs)).toBe(index);
  });

  it.each([
    [[], 0],
    [[7], 7],
    [[7, 8, HIGH], 8],
    [[100, 101, 102, 5], 102],
    [[7, HIGH, 8], 8],
  ])("the last that is believed of %j is %i", (seqs, seq) => {
    expect(lastBelieved(seqs)).toBe(seq);
  });
});
