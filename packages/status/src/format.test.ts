import { describe, expect, it } from "vitest";
import {
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
  formatRelative,
  formatTime,
  secondsBetween,
} from "./format.ts";

describe("figures for a person", () => {
  it.each([
    [0, "0 s"],
    [0.2, "< 1 s"],
    [42, "42 s"],
    [60, "1 min"],
    [118, "1 min 58 s"],
    [3_600, "1 h"],
    [18_600, "5 h 10 min"],
    [3_605, "1 h"],
    [86_399, "23 h 59 min"],
    [273_600, "3 d 4 h"],
    [-5, "0 s"],
  ])("%d seconds are %s", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  it.each([
    [0, "0.0 %"],
    [0.5417, "54.1 %"],
    [0.99999, "99.9 %"],
    [1, "100.0 %"],
  ])("%d of the way is %s", (fraction, text) => {
    expect(formatPercent(fraction)).toBe(text);
  });

  it.each([
    [0.625, "0.63"],
    [2.5, "2.5"],
    [20, "20"],
    [1_234.5, "1,235"],
  ])("%d a second is %s", (rate, text) => {
    expect(formatRate(rate)).toBe(text);
  });

  it("groups counts", () => {
    expect(formatCount(1_234_567)).toBe("1,234,567");
  });

  it("says times in UTC, and relative to the moment of the picture", () => {
    expect(formatTime("2026-03-01T12:03:04.567Z")).toBe("2026-03-01 12:03:04");
    expect(formatTime("soon")).toBe("soon");
    expect(formatRelative("2026-03-01T12:00:00Z", "2026-03-01T12:00:12Z")).toBe("12 s ago");
    expect(formatRelative("2026-03-01T12:00:48Z", "2026-03-01T12:00:00Z")).toBe("in 48 s");
    expect(formatRelative("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z")).toBe("now");
    expect(secondsBetween("never", "2026-03-01T12:00:00Z")).toBe(0);
  });
});
