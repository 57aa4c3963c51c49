import { describe, expect, it } from "vitest";
import { parseRetryAfter, reconnectDelayMs } from "./back-off.ts";
import { DEFAULT_TIMINGS } from "./timings.ts";

const delays = (random: number) =>
  [0, 1, 2, 3, 6, 7, 100].map((fruitless) => reconnectDelayMs(fruitless, () => random, DEFAULT_TIMINGS));

describe("reconnectDelayMs", () => {
  it("is 0.1 to 0.5 s after a connection that brought frames, then doubles up to 30 s, half of it jitter", () => {
    expect(delays(0)).toEqual([100, 500, 1_000, 2_000, 15_000, 15_000, 15_000]);
    expect(delays(1)).toEqual([500, 1_000, 2_000, 4_000, 30_000, 30_000, 30_000]);
  });
});

describe("parseRetryAfter", () => {
  const nowMs = Date.UTC(2026, 0, 1);
  it.each([
    ["120", 120_000],
    [" 0 ", 0],
    ["Thu, 01 Jan 2026 00:01:00 GMT", 60_000],
    ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
    ["999999999", 3_600_000],
    ["soon", null],
    ["", null],
    [null, null],
  ])("%j", (header, expected) => {
    expect(parseRetryAfter(header, nowMs)).toBe(expected);
  });
});
