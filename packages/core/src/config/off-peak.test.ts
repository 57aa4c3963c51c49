import { describe, expect, test } from "vitest";
import { isOffPeak, offPeak } from "./off-peak.ts";
import type { OffPeak } from "./settings.ts";

function windowOf(text: string): OffPeak {
  const parsed = offPeak.parse(text, { readFile: null });
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.value;
}
const at = (time: string) => Date.parse(time);

test("is shown as it was written", () => {
  for (const text of [
    "22:00-06:00 Europe/Berlin fast",
    "00:00-23:59 UTC moderate",
    "09:05-09:06 Asia/Kolkata background",
  ]) {
    expect(offPeak.show(windowOf(text))).toBe(text);
  }
});

test.each([
  ["22:00-06:00", ""],
  ["22:00-06:00 Europe/Berlin", ""],
  ["22-06 Europe/Berlin fast", ""],
  ["24:00-06:00 Europe/Berlin fast", ""],
  ["22:60-06:00 Europe/Berlin fast", ""],
  ["2:00-6:00 Europe/Berlin fast", ""],
  ["22:00 - 06:00 Europe/Berlin fast", ""],
  ["22:00-06:00 Europe/Berlin fast now", ""],
  ["22:00-06:00 Europe/Bern fast", "no time zone of that name"],
  ["22:00-06:00 Europe/Berlin turbo", "the profile is one of background, moderate, fast"],
  ["22:00-22:00 Europe/Berlin fast", "the window is empty"],
])("%s is refused: %s", (text, problem) => {
  expect(offPeak.parse(text, { readFile: null })).toEqual({ problem });
});

describe("inside or outside", () => {
  test.each([
    ["2026-01-15T08:59:59.999Z", false],
    ["2026-01-15T09:00:00Z", true],
    ["2026-01-15T16:59:59.999Z", true],
    ["2026-01-15T17:00:00Z", false],
  ])("09:00-17:00 UTC at %s: %s", (time, expected) => {
    expect(isOffPeak(windowOf("09:00-17:00 UTC fast"), at(time))).toBe(expected);
  });

  test.each([
    ["2026-01-15T20:59:59Z", false], // 21:59 in Berlin
    ["2026-01-15T21:00:00Z", true], // 22:00
    ["2026-01-15T23:00:00Z", true], // midnight
    ["2026-01-16T04:59:59Z", true], // 05:59
    ["2026-01-16T05:00:00Z", false], // 06:00
    ["2026-07-15T19:59:59Z", false], // 21:59 in summer
    ["2026-07-15T20:00:00Z", true], // 22:00 in summer
    ["2026-07-16T04:00:00Z", false], // 06:00 in summer
  ])("22:00-06:00 Europe/Berlin at %s: %s", (time, expected) => {
    expect(isOffPeak(windowOf("22:00-06:00 Europe/Berlin fast"), at(time))).toBe(expected);
  });

  test("midnight itself is the first minute of the day, not the 24th hour", () => {
    expect(isOffPeak(windowOf("00:00-00:01 UTC fast"), at("2026-01-15T00:00:30Z"))).toBe(true);
    expect(isOffPeak(windowOf("00:00-00:01 UTC fast"), at("2026-01-15T00:01:00Z"))).toBe(false);
  });

  test("zones of half hours and zones side by side", () => {
    const kolkata = windowOf("06:00-06:30 Asia/Kolkata fast");
    const utc = windowOf("00:30-01:00 UTC fast");
    for (const minute of [29, 30, 45, 59]) {
      const time = at(`2026-01-15T00:${minute}:00Z`);
      expect(isOffPeak(kolkata, time)).toBe(isOffPeak(utc, time));
    }
  });
});

describe("when the clocks change in Berlin", () => {
  test("the hour that is skipped (29 March 2026, 02:00) is not in the night", () => {
    const window = windowOf("02:00-03:00 Europe/Berlin fast");
    for (let minute = 0; minute < 180; minute++) {
      expect(isOffPeak(window, at("2026-03-29T00:00:00Z") + minute * 60_000)).toBe(false);
    }
  });

  test("the hour that is repeated (25 October 2026, 02:00) counts twice", () => {
    const window = windowOf("02:00-03:00 Europe/Berlin fast");
    let minutes = 0;
    for (let minute = 0; minute < 240; minute++) {
      if (isOffPeak(window, at("2026-10-24T23:00:00Z") + minute * 60_000)) minutes += 1;
    }
    expect(minutes).toBe(120);
  });
});
