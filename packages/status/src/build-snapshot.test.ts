import { cursorAt } from "@firehose-backfill/source/cursor";
import { describe, expect, it } from "vitest";
import { buildSnapshot, type SnapshotInput } from "./build-snapshot.ts";
import { HOUR, MINUTE, sampleRun, sampleWindow, T0 } from "@firehose-backfill/testing/status/sample-run";

const NOW = T0 + 10 * MINUTE;
const QUEUE = { ready: 1, inFlight: 2, delayed: 3, oldestAgeSeconds: 4, deadLetters: 5 };

function build(different: Partial<SnapshotInput> = {}) {
  return buildSnapshot({
    run: sampleRun(),
    openWindows: [],
    gaps: [],
    errors: [],
    consumers: [],
    queue: QUEUE,
    rateSamples: [],
    settings: {},
    nowMs: NOW,
    ...different,
  });
}

function report(id: string, different: object = {}) {
  return { id, atMs: NOW - 1_000, rssMb: 100, limitMb: 512, active: 1, poolUsed: 1, poolSize: 2, ...different };
}

describe("totals", () => {
  it("are those in the run item and those of registered windows", () => {
    const openWindows = [
      sampleWindow(11, [{ applied: 3, stale: 1, dead: 1 }, null], { received: 15, skipped: { collection: 3, did: 2 } }),
      sampleWindow(12, [{ applied: 0, stale: 0, dead: 5, deadReasons: { float: 5 } }], { received: 5 }),
    ];
    const snapshot = build({ openWindows });
    expect(snapshot.deadReasons).toEqual({ "missing-block": 7, float: 8 });
    expect(snapshot).toMatchObject({ received: 1_020, processed: 904, dead: 16, skipped: { collection: 93, did: 2 } });
  });

  it("do not count what a consumer has begun and not finished", () => {
    expect(build({ openWindows: [sampleWindow(11, [null, null])] })).toMatchObject({ processed: 900, dead: 10 });
  });
});

describe("rates", () => {
  it("are measured over the last minute where samples are there", () => {
    const rateSamples = [{ runId: "run-1", paceVersion: 1, atMs: NOW - 40_000, processed: 800 }];
    expect(build({ rateSamples })).toMatchObject({ ratePerSecond: 2.5, averageRatePerSecond: 1.5 });
  });

  it("are not known where there are none, and nothing when the run does not run", () => {
    expect(build()).toMatchObject({ ratePerSecond: null, averageRatePerSecond: 1.5 });
    const rateSamples = [{ runId: "run-1", paceVersion: 1, atMs: NOW - 40_000, processed: 800 }];
    expect(build({ run: sampleRun({ status: "paused", pausedSinceMs: NOW }), rateSamples }).ratePerSecond).toBe(0);
  });

  it("leave pauses out of the average", () => {
    expect(build({ run: sampleRun({ pausedMs: 4 * MINUTE }) }).averageRatePerSecond).toBe(2.5);
  });

  it.each([
    [{ batchSize: 5, batchDelayMs: 2_000 }, 1, 2.5],
    [{ batchSize: 20, batchDelayMs: 1_000 }, 1, 20],
    [{ batchSize: 5, batchDelayMs: 2_000 }, 4, 0.625],
    [{ batchSize: 900, batchDelayMs: 600_000 }, 16, 1],
    [{ batchSize: 5, batchDelayMs: 0 }, 16, null],
  ])("allow %o with a back-off of %i: %f", (pace, backOff, expected) => {
    const { throttle } = sampleRun();
    expect(build({ run: sampleRun({ backOff, throttle: { ...throttle, ...pace } }) }).allowedRatePerSecond).toBe(
      expected,
    );
  });
});

describe("the process", () => {
  it("is summed over consumers, its memory that of the fullest", () => {
    const consumers = [report("a"), report("b", { rssMb: 300, active: 0 })];
    expect(build({ consumers })).toMatchObject({
      memory: { usedMb: 300, limitMb: 512 },
      consumers: { active: 1, max: 2 },
      pool: { used: 2, size: 4 },
    });
  });

  it("is what it knows of itself, not what it last reported", () => {
    const local = { consumerId: "a", memoryUsedMb: 210, active: 2, poolUsed: 2, poolSize: 2 };
    expect(build({ consumers: [report("a", { rssMb: 400 })], local })).toMatchObject({
      memory: { usedMb: 210 },
      consumers: { active: 2 },
      pool: { used: 2, size: 2 },
    });
  });

  it("forgets consumers that no longer report", () => {
    const consumers = [report("gone", { atMs: NOW - 2 * MINUTE })];
    expect(build({ consumers })).toMatchObject({ memory: { usedMb: null }, consumers: { active: 0 } });
  });
});

describe("what is shown as it is", () => {
  it("has times as ISO 8601 and positions with them", () => {
    const snapshot = build();
    expect(snapshot.cursor).toEqual({
      start: { seq: 1_000, time: "2026-03-01T10:00:00.000Z" },
      applied: { seq: 1_500, time: "2026-03-01T11:00:00.000Z" },
      reader: { seq: 1_600, time: "2026-03-01T11:30:00.000Z" },
      target: null,
    });
    expect(snapshot).toMatchObject({
      lagSeconds: 4_200,
      at: "2026-03-01T12:10:00.000Z",
      lastTick: { at: "2026-03-01T12:00:00.000Z", durationMs: 2_000, endedBecause: "read-ahead full" },
      nextTickAt: "2026-03-01T12:01:00.000Z",
      queue: QUEUE,
      elapsedSeconds: 600,
    });
  });

  it("says what is waited for, where the state has no reason of its own", () => {
    const waiting = { for: "database", sinceMs: T0 };
    expect(build({ run: sampleRun({ waiting }) }).reason).toBe("waiting: database");
    const error = { atMs: T0 + 1, source: "consumer", message: "waits for a lock held by pid 7" } as const;
    const old = { ...error, atMs: T0 - 1, message: "of another wait" };
    expect(build({ run: sampleRun({ waiting }), errors: [old, error] }).reason).toBe(
      "waiting: database: waits for a lock held by pid 7",
    );
    expect(build({ run: sampleRun({ waiting }), errors: [old] }).reason).toBe("waiting: database");
    const long = { ...error, message: `${"a".repeat(120)} and the rest` };
    expect(build({ run: sampleRun({ reason: "a".repeat(120) }), errors: [long] }).reason).toBe(long.message);
    expect(build({ run: sampleRun({ waiting, reason: "paused by the operator" }) }).reason).toBe(
      "paused by the operator",
    );
  });

  it("shows the last 20 errors", () => {
    const errors = Array.from({ length: 30 }, (_, index) => ({ atMs: T0, source: "reader", message: `no ${index}` }));
    expect(build({ errors }).errors.map(({ message }) => message)).toEqual(
      errors.slice(10).map(({ message }) => message),
    );
  });

  it("is empty, but for queue and settings, where no run has ever been", () => {
    const settings = { BACKFILL_DAYS: { value: 0, source: "environment" } };
    expect(build({ run: null, settings })).toMatchObject({
      runId: null,
      status: "none",
      received: 0,
      progress: null,
      settings,
      queue: QUEUE,
    });
  });

  it("is plain JSON, through and through", () => {
    const gaps = [{ from: cursorAt(1, T0 - HOUR), to: cursorAt(2, T0), host: "h", reason: "gone", atMs: T0 }];
    const snapshot = build({ gaps });
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
    expect(snapshot.gaps).toEqual([
      {
        from: { seq: 1, time: "2026-03-01T11:00:00.000Z" },
        to: { seq: 2, time: "2026-03-01T12:00:00.000Z" },
        host: "h",
        reason: "gone",
      },
    ]);
  });
});

describe("a tune", () => {
  const tunes = [{ atMs: T0 + MINUTE, by: "tune" as const, changes: { batchDelayMs: { from: 2_000, to: 4_000 } } }];
  const pending = (input: Partial<SnapshotInput>) => build(input).tunes.map((tune) => tune.pending);
  const ended = (finishedAtMs: number) => {
    const { window, entries } = sampleWindow(11, [{ applied: 5, stale: 0, dead: 0 }]);
    return [{ window, entries: entries.map((entry) => ({ ...entry, finishedAtMs })) }];
  };

  it("is pending until a batch has ended after it, whether that batch is counted yet or not", () => {
    const run = sampleRun({ tunes, lastFinishedAtMs: T0 });
    expect(pending({ run })).toEqual([true]);
    expect(pending({ run, openWindows: ended(T0 + MINUTE) })).toEqual([true]);
    expect(pending({ run, openWindows: ended(T0 + MINUTE + 1) })).toEqual([false]);
    expect(pending({ run: { ...run, lastFinishedAtMs: T0 + 2 * MINUTE } })).toEqual([false]);
  });

  it("of a run that is over waits for nothing", () => {
    expect(pending({ run: sampleRun({ tunes, status: "cancelled", finishedAtMs: NOW }) })).toEqual([false]);
  });
});
