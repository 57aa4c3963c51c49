import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boundRecentTimes, decodeRecentTimes, encodeRecentTimes } from "./recent-times.ts";
import { REMEMBERED_TIMES } from "./event-time.ts";

const NOW = 1_760_000_000_000;
const anyTime = fc.oneof(
  fc.double(),
  fc.integer({ min: NOW - 1e6, max: NOW + 1e6 }),
  fc.constantFrom(0, -0, 1, -1, 8.64e15, -8.64e15, 2 ** 31, 2 ** 53, NaN, Infinity, -Infinity),
);

describe("recent times", () => {
  test("read back as they were bounded, in at most 412 bytes, whatever a frame says", () => {
    fc.assert(
      fc.property(fc.array(anyTime, { maxLength: 150 }), (times) => {
        const bounded = boundRecentTimes(times);
        const bytes = encodeRecentTimes(times);
        expect(decodeRecentTimes(bytes)).toEqual(bounded);
        expect(boundRecentTimes(bounded)).toEqual(bounded);
        expect(bounded.length).toBeLessThanOrEqual(REMEMBERED_TIMES);
        expect(bytes?.byteLength ?? 0).toBeLessThanOrEqual(412);
      }),
    );
  });

  test("keep their median and every time near it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -8e15, max: 8e15 }), { minLength: 1, maxLength: REMEMBERED_TIMES }),
        (times) => {
          const bounded = boundRecentTimes(times);
          expect(median(bounded)).toBe(median(times));
          for (const [index, time] of times.entries())
            expect(Math.abs(time - median(times)) < 2 ** 31 ? bounded[index] : time).toBe(time);
        },
      ),
    );
  });

  test("keep the last 101", () => {
    const times = Array.from({ length: 300 }, (_, index) => NOW + index);
    expect(boundRecentTimes(times)).toEqual(times.slice(-101));
  });

  test("that are damaged are not read", () => {
    expect(decodeRecentTimes(null)).toEqual([]);
    for (const size of [0, 7, 8, 11, 13])
      expect(() => decodeRecentTimes(new Uint8Array(size))).toThrow(
        expect.objectContaining({ name: "BrokenStateError" }),
      );
  });
});

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1] ?? NaN;
}
