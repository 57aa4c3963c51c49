import { describe, expect, test } from "vitest";
import { PROFILES } from "./config/profiles.ts";
import { escapeForLog, memoryLine, progressCadence, progressLine, throttlingConfigLines } from "./log-lines.ts";

test("the throttle is said word for word", () => {
  expect(throttlingConfigLines(PROFILES.background).join("\n")).toBe(`[BACKFILL] Resource throttling config:
  - Batch size: 5 events
  - Batch delay: 2000ms
  - Max concurrent: 2
  - Memory limit: 512MB
  - Idle processing: true`);
});

test("progress is said word for word, the rate with one decimal", () => {
  const progress = { received: 10_000, processed: 9_500, skipped: 500 };
  expect(progressLine({ ...progress, ratePerSecond: 2.5 })).toBe(
    "[BACKFILL] Progress: 10000 received, 9500 processed, 500 skipped (2.5 evt/s)",
  );
  expect(progressLine({ ...progress, ratePerSecond: 99.96 })).toContain("(100.0 evt/s)");
  expect(progressLine({ ...progress, ratePerSecond: 0 })).toContain("(0.0 evt/s)");
});

test("memory is said word for word, in whole megabytes", () => {
  expect(memoryLine({ usedMb: 384.4, limitMb: 512 })).toBe("[BACKFILL] Memory: 384MB / 512MB limit");
});

describe("the cadence of progress", () => {
  test("every 10,000 events, counted from where the run stood", () => {
    const cadence = progressCadence({ received: 12_000, nowMs: 0 });
    expect(cadence.isDue(19_999, 1)).toBe(false);
    expect(cadence.isDue(20_003, 2)).toBe(true);
    expect(cadence.isDue(20_004, 3)).toBe(false);
    expect(cadence.isDue(51_000, 4)).toBe(true);
    expect(cadence.isDue(59_999, 5)).toBe(false);
  });

  test("at least every 30 s, whether anything came or not", () => {
    const cadence = progressCadence({ received: 0, nowMs: 0 });
    expect(cadence.isDue(0, 29_999)).toBe(false);
    expect(cadence.isDue(0, 30_000)).toBe(true);
    expect(cadence.isDue(0, 59_999)).toBe(false);
    expect(cadence.isDue(0, 60_000)).toBe(true);
  });

  test("a line for events postpones the one for time", () => {
    const cadence = progressCadence({ received: 0, nowMs: 0 });
    expect(cadence.isDue(10_000, 20_000)).toBe(true);
    expect(cadence.isDue(10_001, 40_000)).toBe(false);
    expect(cadence.isDue(10_001, 50_000)).toBe(true);
  });

  test("a total that fell, because a new generation dropped windows, is no line, and is counted from anew", () => {
    const cadence = progressCadence({ received: 30_000, nowMs: 0 });
    expect(cadence.isDue(15_000, 1)).toBe(false);
    expect(cadence.isDue(20_000, 2)).toBe(true);
  });
});

describe("escapeForLog", () => {
  test.each([
    ["a new line and a forged log line", "x\n[BACKFILL] Progress", "x\\n[BACKFILL] Progress"],
    ["carriage return and tab", "a\r\tb", "a\\r\\tb"],
    ["ANSI", "\u001b[31mred\u009b0m", "\\u001b[31mred\\u009b0m"],
    ["bidi overrides and isolates", "\u202eabc\u2066", "\\u202eabc\\u2066"],
    ["invisible characters", "a\u200bb\uFEFFc\u{e0041}", "a\\u200bb\\ufeffc\\u{e0041}"],
    ["line and paragraph separators", "a\u2028b\u2029", "a\\u2028b\\u2029"],
    ["lone surrogates", "a\ud800b\udc00", "a\\ud800b\\udc00"],
    ["noncharacters", "\uFFFE\uFFFF", "\\ufffe\\uffff"],
    ["NUL and DEL", "\0\u007f", "\\u0000\\u007f"],
  ])("%s", (_what, text, expected) => {
    expect(escapeForLog(text)).toBe(expected);
  });

  test("what can be read stays as it is", () => {
    const text = 'did:plc:abc "quoted" \\ Ünïcode 水 𐅑 😀 äöü';
    expect(escapeForLog(text)).toBe(text);
  });

  test("what is too long is cut, and says so", () => {
    expect(escapeForLog("abcdef", 4)).toBe("abcd… (2 more)");
    expect(escapeForLog("abcd", 4)).toBe("abcd");
    // The cut is inside a pair: the remaining half is a lone surrogate and is shown as one.
    expect(escapeForLog("abc😀", 4)).toBe("abc\\ud83d… (1 more)");
  });
});
