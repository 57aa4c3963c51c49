import type { Run } from "@firehose-backfill/checkpoint/run";
import type { OpenWindow } from "@firehose-backfill/checkpoint/window";
import { cursorAt } from "@firehose-backfill/source/cursor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elapsedMs, etaSeconds, progressOf, retentionOf } from "./progress.ts";
import { HOUR, MINUTE, sampleRun, sampleWindow, T0 } from "@firehose-backfill/testing/status/sample-run";
import { doneShare, liveTotals } from "./totals.ts";

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
    [
      "still towards the moment the run began, where the target lies after it: nothing is taken back",
      { target: cursorAt(1_700, T0 + 2 * HOUR) },
      0.5,
    ],
    ["towards the target once it is known to be nearer", { target: cursorAt(1_700, T0 - 30 * MINUTE) }, 0.666667],
    ["towards the time it is to end at", { end: { kind: "time" as const, timeMs: T0 - 30 * MINUTE } }, 0.666667],
    ["by sequence, where it ends at one", { end: { kind: "seq" as const, seq: 2_000 } }, 0.5],
    [
      "from the start by event time, not from the frame where the search for it began",
      { startPosition: cursorAt(1, T0 - 48 * HOUR) },
      0.5,
    ],
    ["from what the host still had, where it kept less", { startPosition: cursorAt(1_200, T0 - 1.5 * HOUR) }, 0.333333],
    ["nothing while nothing is applied", { appliedCursor: null }, 0],
    ["never more than all", { appliedCursor: cursorAt(1_700, T0 + HOUR) }, 1],
    ["never less than nothing", { appliedCursor: cursorAt(1_001, T0 - 9 * HOUR) }, 0],
    ["all, when it has succeeded", { status: "succeeded" as const, appliedCursor: null }, 1],
    ["not known before a frame has come", { startPosition: null, appliedCursor: null }, null],
    [
      "not known where start and end are the same",
      { start: { kind: "live" as const }, startPosition: cursorAt(9, T0) },
      null,
    ],
  ])("is %s", (_, different, expected) => {
    const progress = progressOf(sampleRun(different));
    expect(progress === null ? null : Number(progress.toFixed(6))).toBe(expected);
  });
});

describe("time left", () => {
  const base = {
    run: sampleRun(),
    progress: 0.25,
    elapsedMs: 10 * MINUTE,
    done: 1_500,
    outstanding: 100,
    ratePerSecond: 2.5,
  };

  it("follows from the time it took so far, while the reader is on its way", () => {
    expect(etaSeconds(base)).toBe(30 * 60);
  });

  it("is what is outstanding at the rate, once all has been read", () => {
    const run = sampleRun({ target: cursorAt(1_600, T0) });
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
  const measured = { keptSinceMs: T0 - 3 * HOUR };

  it("says how much the host keeps, and when what is read next falls off it", () => {
    expect(retentionOf(sampleRun(measured), T0 + HOUR)).toEqual({
      retentionSeconds: 3 * 3_600,
      fallsOffInSeconds: 1.5 * 3_600,
    });
    expect(retentionOf(sampleRun(measured), T0 + 9 * HOUR).fallsOffInSeconds).toBe(0);
  });

  it.each([
    ["not measured", {}],
    ["measured long after the run began", { keptSinceMs: T0 + HOUR }],
    ["of the recording, which keeps all", { ...measured, source: { kind: "relay", host: "sample" } }],
  ])("is not known: %s", (_, different) => {
    expect(retentionOf(sampleRun(different), T0)).toEqual({ retentionSeconds: null, fallsOffInSeconds: null });
  });

  it("does not warn once everything has been read", () => {
    for (const different of [{ status: "succeeded" as const }, { target: cursorAt(1_600, T0) }]) {
      expect(retentionOf(sampleRun({ ...measured, ...different }), T0).fallsOffInSeconds).toBeNull();
    }
  });
});

describe("progress within a window", () => {
  const counts = { applied: 4, stale: 0, dead: 1 };

  it("counts what is done beyond the applied cursor", () => {
    // Two hours, the first applied; the reader half an hour ahead, half of that done.
    const to = cursorAt(1_600, T0 - 30 * MINUTE);
    expect(progressOf(sampleRun(), [sampleWindow(11, [counts, null], { to })])).toBeCloseTo(0.5 + 0.125, 6);
    expect(progressOf(sampleRun({ appliedCursor: null }), [])).toBe(0);
    expect(progressOf(sampleRun({ readerCursor: null }), [])).toBe(0.5);
  });

  it("is told by the batches of open windows", () => {
    const half = sampleWindow(1, [counts, null]);
    const empty = sampleWindow(2, []);
    expect(doneShare(half.window, half.entries)).toBe(0.5);
    expect(doneShare(empty.window, empty.entries)).toBe(1);
  });
});

describe("fault 31: progress within a generation", () => {
  it("never falls back, whatever is read, applied and counted, and whatever becomes known", () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("read"),
        batches: fc.integer({ min: 0, max: 6 }),
        minutes: fc.integer({ min: 0, max: 40 }),
      }),
      fc.record({ kind: fc.constant("finish"), window: fc.nat(9), dead: fc.boolean() }),
      fc.record({ kind: fc.constant("advance") }),
      fc.record({ kind: fc.constant("end") }),
    );
    type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, isBySeq) => {
        let run = sampleRun({
          appliedCursor: null,
          readerCursor: null,
          ...(isBySeq ? { end: { kind: "seq" as const, seq: 1_900 } } : {}),
        });
        let windows: OpenWindow[] = [];
        let before = progressOf(run, windows) ?? 0;
        for (const next of steps as readonly Step[]) {
          ({ run, windows } = take(next, run, windows));
          const now = progressOf(run, windows) ?? before;
          expect(now).toBeGreaterThanOrEqual(before - 1e-12);
          before = now;
        }
      }),
    );

    function take(next: Step, run: Run, windows: OpenWindow[]): { run: Run; windows: OpenWindow[] } {
      const at = run.readerCursor ?? run.startPosition ?? cursorAt(0, 0);
      if ("batches" in next && run.target === null) {
        const to = cursorAt(at.ordinal + 10 * next.minutes, (at.timeMs ?? 0) + next.minutes * MINUTE);
        const opened = sampleWindow(windows.length + 1, Array(next.batches).fill(null), { to });
        return { run: { ...run, readerCursor: to }, windows: [...windows, opened] };
      }
      if ("dead" in next) {
        const chosen = windows[next.window];
        const done = next.dead ? { applied: 0, stale: 0, dead: 5 } : { applied: 5, stale: 0, dead: 0 };
        const index = chosen?.entries.findIndex(({ counts }) => counts === null) ?? -1;
        if (chosen === undefined || index === -1) return { run, windows };
        const entries = chosen.entries.map((entry, which) => (which === index ? { ...entry, counts: done } : entry));
        return { run, windows: windows.with(next.window, { ...chosen, entries }) };
      }
      if (next.kind === "end") return { run: { ...run, target: run.readerCursor }, windows };
      const [first, ...rest] = windows;
      const isWhole = first?.entries.every(({ counts }) => counts !== null) === true;
      return isWhole && first !== undefined
        ? { run: { ...run, appliedCursor: first.window.to }, windows: rest }
        : { run, windows };
    }
  });
});

describe("fault 31: time left", () => {
  const tuned = (from: number, to: number, by: "tune" | "off-peak" = "tune") =>
    sampleRun({
      throttle: { ...sampleRun().throttle, batchDelayMs: to },
      tunes: [{ atMs: T0, by, changes: { batchDelayMs: { from, to } } }],
    });
  // 2.5 events a second for ten minutes, a quarter of the way.
  const base = { progress: 0.25, elapsedMs: 10 * MINUTE, done: 1_500, outstanding: 100, ratePerSecond: null };

  it.each<[string, Run, number]>([
    ["no tune", sampleRun(), 1_800],
    ["to a fifth", tuned(2_000, 10_000), 9_000],
    ["five times as fast", tuned(2_000, 400), 360],
    ["to a fifth by the clock", tuned(2_000, 10_000, "off-peak"), 9_000],
    ["backing off to a quarter", sampleRun({ backOff: 4 }), 7_200],
  ])("comes from the pace in force: %s", (_name, run, seconds) => {
    expect(etaSeconds({ ...base, run })).toBeCloseTo(seconds, 6);
  });

  it("comes from what is measured under it, once there is enough", () => {
    expect(etaSeconds({ ...base, run: tuned(2_000, 10_000), ratePerSecond: 0.4 })).toBeCloseTo(11_250, 6);
    expect(etaSeconds({ ...base, run: sampleRun(), ratePerSecond: 0 })).toBeNull();
  });

  it("comes from the way that was read, where few events match and the pace holds nothing back", () => {
    const few = { ...base, run: sampleRun(), done: 15 };
    expect(etaSeconds(few)).toBeCloseTo(1_800, 6);
    expect(etaSeconds({ ...few, run: tuned(2_000, 600_000) })).toBeCloseTo(45 / (5 / 600), 3);
  });

  it("comes from what is measured, or from the way, where nothing is paced", () => {
    const run = sampleRun({ throttle: { ...sampleRun().throttle, batchDelayMs: 0 } });
    expect(etaSeconds({ ...base, run, ratePerSecond: 100 })).toBe(45);
    expect(etaSeconds({ ...base, run })).toBe(1_800);
  });
});

it("issue 15.3: rows that ranges removed are received and processed before their window is; empty ranges are done, too", () => {
  const window = sampleWindow(1, [{ applied: 2, stale: 0, dead: 0, removed: 3, emptyRanges: 2 }, null]);
  const none = { received: 0, processed: 0, stale: 0, dead: 0, deadReasons: {}, skipped: {} };
  const [before, after] = [liveTotals(none, [sampleWindow(1, [null, null])]), liveTotals(none, [window])];
  expect(after.received - before.received).toBe(3);
  expect(after.processed).toBe(5);
  expect(before.outstanding - after.outstanding).toBe(4);
  expect(doneShare(window.window, window.entries)).toBeCloseTo(4 / window.window.events);
});
