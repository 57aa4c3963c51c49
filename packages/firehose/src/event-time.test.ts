import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { medianTime, REMEMBERED_TIMES, startEventTime } from "./event-time.ts";

/** The plain form of what `startEventTime` does. */
function addTime(recentTimesMs: readonly number[], timeMs: number): readonly number[] {
  return [...recentTimesMs, timeMs].slice(-REMEMBERED_TIMES);
}

describe("event time", () => {
  it("is the median: the lower one of two in the middle, null of none", () => {
    expect(medianTime([])).toBeNull();
    expect(medianTime([5])).toBe(5);
    expect(medianTime([9, 1])).toBe(1);
    expect(medianTime([9, 1, 5])).toBe(5);
  });

  it("is not moved by a few frames that lie", () => {
    const times = Array.from({ length: 101 }, (_, index) => 1_000 + index);
    const lies = times.map((time, index) => (index < 40 ? 9e15 : time));
    expect(medianTime(lies)).toBeLessThan(1_101 + 40);
  });

  it("forgets what is more than 101 frames ago", () => {
    const times = startEventTime(Array.from({ length: 300 }, (_, index) => index)).toArray();
    expect(times).toHaveLength(REMEMBERED_TIMES);
    expect([times[0], times.at(-1), medianTime(times)]).toEqual([199, 299, 249]);
  });

  it("is the same computed step by step", () => {
    const time = fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 2 ** 45 }));
    fc.assert(
      fc.property(fc.array(time, { maxLength: 150 }), fc.array(time, { maxLength: 250 }), (before, after) => {
        let plain: readonly number[] = before.slice(-REMEMBERED_TIMES);
        const fast = startEventTime(before);
        expect(fast.median()).toBe(medianTime(plain));
        for (const timeMs of after) {
          plain = addTime(plain, timeMs);
          fast.add(timeMs);
          expect(fast.median()).toBe(medianTime(plain));
        }
        expect(fast.toArray()).toEqual(plain);
      }),
      { numRuns: 60, seed: 1 },
    );
  });
});
