import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  allowedRatePerSecond,
  delaySeconds,
  effectiveDelayMs,
  eventsThatFit,
  hideSeconds,
  readAheadMs,
  intervalMs,
  judge,
  layOutSlots,
  ON_TIME_MS,
  waitSeconds,
} from "./slots.ts";

const background = { batchSize: 5, effectiveDelayMs: 2_000 };
const fast = { batchSize: 50, effectiveDelayMs: 500 };

describe("pace arithmetic", () => {
  it.each([
    [background, 2.5],
    [{ batchSize: 20, effectiveDelayMs: 1_000 }, 20],
    [fast, 100],
    [{ batchSize: 5, effectiveDelayMs: 0 }, null],
  ])("allows %o events/s: %s", (pace, rate) => {
    expect(allowedRatePerSecond(pace)).toBe(rate);
  });

  it.each([
    [1, 2_000],
    [16, 32_000],
    [1_000_000, 900_000],
  ])("stretches the delay by back-off %i to %i ms, at most 900 s", (backOff, expected) => {
    expect(effectiveDelayMs({ batchDelayMs: 2_000 }, backOff)).toBe(expected);
  });

  it("gives a smaller batch its share and rounds up, never down", () => {
    expect(intervalMs(background, 5)).toBe(2_000);
    expect(intervalMs(background, 1)).toBe(400);
    expect(intervalMs({ batchSize: 7, effectiveDelayMs: 1_000 }, 1)).toBe(143);
    expect(intervalMs({ batchSize: 5, effectiveDelayMs: 0 }, 5)).toBe(0);
  });

  it("lays slots out without gaps, never in the past", () => {
    const laidOut = layOutSlots(background, [5, 1, 5], { plannedDueMs: 1_000, nowMs: 5_000 });
    expect(laidOut).toEqual({ dueMs: [5_000, 7_000, 7_400], nextMs: 9_400 });
    expect(layOutSlots(background, [5], { plannedDueMs: 9_400, nowMs: 5_000 }).dueMs).toEqual([9_400]);
  });

  it("never gives away more than the rate, whatever the batch sizes", () => {
    fc.assert(
      fc.property(
        fc.record({
          batchSize: fc.integer({ min: 1, max: 1000 }),
          effectiveDelayMs: fc.integer({ min: 1, max: 600_000 }),
        }),
        fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 50 }),
        fc.integer({ min: 0, max: 1_000_000 }),
        (pace, sizes, plannedDueMs) => {
          const { nextMs } = layOutSlots(pace, sizes, { plannedDueMs, nowMs: 0 });
          const events = sizes.reduce((sum, size) => sum + size, 0);
          expect(nextMs - plannedDueMs).toBeGreaterThanOrEqual(
            Math.floor((events * pace.effectiveDelayMs) / pace.batchSize),
          );
          expect(eventsThatFit(pace, nextMs - plannedDueMs)).toBeGreaterThanOrEqual(events);
        },
      ),
    );
  });

  it("measures the read-ahead by the counter or by what is out, whichever is more", () => {
    expect(readAheadMs(background, { plannedDueMs: 10_000, nowMs: 4_000, outstandingEvents: 5 })).toBe(6_000);
    expect(readAheadMs(background, { plannedDueMs: 10_000, nowMs: 4_000, outstandingEvents: 50 })).toBe(20_000);
    expect(readAheadMs(background, { plannedDueMs: 0, nowMs: 4_000, outstandingEvents: 0 })).toBe(0);
    expect(eventsThatFit(background, 120_000)).toBe(300);
    expect(eventsThatFit(background, -5)).toBe(0);
  });

  it("rounds delays down and caps them at what SQS takes", () => {
    expect(delaySeconds(2_999, 0)).toBe(2);
    expect(delaySeconds(0, 5_000)).toBe(0);
    expect(delaySeconds(10_000_000, 0)).toBe(900);
    expect(hideSeconds(400, 0)).toBe(1);
    expect(hideSeconds(61_900, 0)).toBe(61);
  });

  it("waits 30 s x 2^n, at most 900 s", () => {
    expect([1, 2, 3, 5, 6, 60].map(waitSeconds)).toEqual([30, 60, 120, 480, 900, 900]);
  });
});

describe("judge", () => {
  const at = (nowMs: number, paceVersion = 3, pace = background) => ({ nowMs, paceVersion, pace });
  it.each([
    ["at its due time", 10_000, "on-time"],
    ["1.5 s early", 10_000 - ON_TIME_MS, "on-time"],
    ["a little more than 1.5 s early", 10_000 - ON_TIME_MS - 1, "early"],
    ["1.5 s late", 10_000 + ON_TIME_MS, "on-time"],
    ["a little more than 1.5 s late", 10_000 + ON_TIME_MS + 1, "late"],
  ] as const)("%s", (_name, nowMs, expected) => {
    expect(judge({ dueMs: 10_000, paceVersion: 3 }, at(nowMs))).toBe(expected);
  });

  it("treats a slot of another pace version as late, also one planned without pacing", () => {
    expect(judge({ dueMs: 10_000, paceVersion: 2 }, at(10_000))).toBe("late");
    expect(judge({ dueMs: 10_000, paceVersion: 0 }, at(10_000))).toBe("late");
  });

  it("knows neither early nor late without pacing", () => {
    expect(judge({ dueMs: 99_000, paceVersion: 1 }, at(0, 3, { batchSize: 5, effectiveDelayMs: 0 }))).toBe("on-time");
  });
});
