import { describe, expect, it } from "vitest";
import { elapsedMs, etaSeconds, progressOf, retentionOf } from "./progress.ts";
import { HOUR, MINUTE, sampleRun, sampleWindow, T0 } from "./sample-run.ts";
import { doneBeyond } from "./totals.ts";

describe("elapsed", () => {
  it.each([
    ["while running", {}, 10 * MINUTE],
    ["without the pauses that are over", { pausedMs: 4 * MINUTE }, 6 * MINUTE],
    [
      "stands still while paused",
      { status: "paused" as const, pausedSinceMs: T0 + 3 * MINUTE, pausedMs: MINUTE },
      2 * MINUTE,
    ],
    ["ends when the run ended", { finishedAtMs: T0 + 7 * MINUTE }, 7 * MINUTE],
    ["is never below nothing, whatever the clocks say", { createdAtMs: T0 + HOUR }, 0],
  ])("%s", (_, different, expected) => {
    expect(elapsedMs(sampleRun(different), T0 + 10 * MINUTE)).toBe(expected);
  });
});

describe("progress", () => {
  it.each([
    ["by event time, towards the moment the run began", {}, 0.5],
    ["towards the target once it is known", { target: { seq: 1_700, timeMs: T0 + 2 * HOUR } }, 0.25],
    ["towards the time it is to end at", { end: { kind: "time" as const, timeMs: T0 - 30 * MINUTE } }, 0.666667],
    ["by sequence, where it ends at one", { end: { kind: "seq" as const, seq: 2_000 } }, 0.5],
    [
      "from the start by event time, not from the frame where the search for it began",
      { startPosition: { seq: 1, timeMs: T0 - 48 * HOUR } },
      0.5,
    ],
    [
      "from what the host still had, where it kept less",
      { startPosition: { seq: 1_200, timeMs: T0 - 1.5 * HOUR } },
      0.333333,
    ],
    ["nothing while nothing is applied", { appliedCursor: null }, 0],
    ["never more than all", { appliedCursor: { seq: 1_700, timeMs: T0 + HOUR } }, 1],
    ["never less than nothing", { appliedCursor: { seq: 1_001, timeMs: T0 - 9 * HOUR } }, 0],
    ["all, when it has succeeded", { status: "succeeded" as const, appliedCursor: null }, 1],
    ["not known before a frame has come", { startPosition: null, appliedCursor: null }, null],
    [
      "not known where start and end are the same",
      { start: { kind: "live" as const }, startPosition: { seq: 9, timeMs: T0 } },
      null,
    ],
  ])("is %s", (_, different, expected) => {
    const progress = progressOf(sampleRun(different));
    expect(progress === null ? null : Number(progress.toFixed(6))).toBe(expected);
  });
});

describe("time left", () => {
  const base = { run: sampleRun(), progress: 0.25, elapsedMs: 10 * MINUTE, outstanding: 100, ratePerSecond: 2.5 };

  it("follows from the time it took so far, while the reader is on its way", () => {
    expect(etaSeconds(base)).toBe(30 * 60);
  });

  it("is what is outstanding at the rate, once all has been read", () => {
    const run = sampleRun({ target: { seq: 1_600, timeMs: T0 } });
    expect(etaSeconds({ ...base, run })).toBe(40);
    expect(etaSeconds({ ...base, run, ratePerSecond: 0 })).toBeNull();
  });

  it("is not guessed before there is progress, and not while nothing moves", () => {
    expect(etaSeconds({ ...base, progress: null })).toBeNull();
    expect(etaSeconds({ ...base, progress: 0 })).toBeNull();
    for (const status of ["enqueued", "paused", "errored", "cancelling"] as const) {
      expect(etaSeconds({ ...base, run: sampleRun({ status }) })).toBeNull();
    }
  });

  it("is none when the run is over", () => {
    expect(etaSeconds({ ...base, run: sampleRun({ status: "succeeded" }) })).toBe(0);
    expect(etaSeconds({ ...base, run: sampleRun({ status: "cancelled" }) })).toBe(0);
  });
});

describe("retention", () => {
  const measured = { oldestKeptMs: T0 - 3 * HOUR };

  it("says how much the host keeps, and when what is read next falls off it", () => {
    expect(retentionOf(sampleRun(measured), T0 + HOUR)).toEqual({
      retentionSeconds: 3 * 3_600,
      fallsOffInSeconds: 1.5 * 3_600,
    });
    expect(retentionOf(sampleRun(measured), T0 + 9 * HOUR).fallsOffInSeconds).toBe(0);
  });

  it.each([
    ["not measured", {}],
    ["measured long after the run began", { oldestKeptMs: T0 + HOUR }],
    ["of the recording, which keeps all", { ...measured, host: "sample" }],
  ])("is not known: %s", (_, different) => {
    expect(retentionOf(sampleRun(different), T0)).toEqual({ retentionSeconds: null, fallsOffInSeconds: null });
  });

  it("threatens nothing once all has been read", () => {
    for (const different of [{ status: "succeeded" as const }, { target: { seq: 1_600, timeMs: T0 } }]) {
      expect(retentionOf(sampleRun({ ...measured, ...different }), T0).fallsOffInSeconds).toBeNull();
    }
  });
});

describe("progress within a window", () => {
  it("counts what is done beyond the applied cursor", () => {
    // Two hours, the first applied; the reader half an hour ahead, half of that done.
    expect(progressOf(sampleRun(), 0.5)).toBeCloseTo(0.5 + 0.125, 6);
    expect(progressOf(sampleRun({ appliedCursor: null }), 0)).toBe(0);
    expect(progressOf(sampleRun({ readerCursor: null }), 1)).toBe(0.5);
  });

  it("is told by the batches of open windows", () => {
    const counts = { applied: 4, stale: 0, dead: 1 };
    expect(doneBeyond([sampleWindow(1, [counts, null])])).toBe(0.5);
    expect(doneBeyond([])).toBe(0);
  });
});
