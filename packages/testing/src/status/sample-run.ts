/** Factories of runs, windows and ledger entries for tests: a run that is partly done, with the changes that a test needs. */
import type { LedgerEntry } from "@firehose-backfill/checkpoint/ledger";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { OpenWindow, WindowItem } from "@firehose-backfill/checkpoint/window";
import type { BatchCounts } from "@firehose-backfill/core/batch";
import { cursorAt } from "@firehose-backfill/source/cursor";

/** When the sample run began. */
export const T0 = Date.parse("2026-03-01T12:00:00.000Z");
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** The run began at T0 and reads the two hours before it. The first hour is applied. */
export function sampleRun(different: Partial<Run> = {}): Run {
  return {
    runId: "run-1",
    name: null,
    paceId: "default",
    generation: 1,
    status: "running",
    reason: null,
    pausedNow: false,
    source: { kind: "relay", host: "relay.example:443" },
    database: null,
    profile: "background",
    throttle: {
      batchSize: 5,
      batchDelayMs: 2_000,
      maxConcurrent: 2,
      maxMemoryMb: 512,
      useIdle: true,
      dbPoolSize: 2,
      memoryCheckInterval: 100,
    },
    sources: {},
    offPeak: null,
    start: { kind: "time", timeMs: T0 - 2 * HOUR },
    end: { kind: "caught-up" },
    createdAtMs: T0,
    finishedAtMs: null,
    pausedMs: 0,
    pausedSinceMs: null,
    startPosition: cursorAt(1_000, T0 - 2 * HOUR),
    readerCursor: cursorAt(1_600, T0 - 30 * MINUTE),
    appliedCursor: cursorAt(1_500, T0 - HOUR),
    target: null,
    sourceState: null,
    sourceMoved: false,
    progress: null,
    keptSinceMs: null,
    registered: 12,
    appliedWindow: 10,
    totals: {
      received: 1_000,
      processed: 900,
      stale: 20,
      dead: 10,
      deadReasons: { "missing-block": 7, float: 3 },
      skipped: { collection: 90 },
    },
    lastFinishedAtMs: T0 - MINUTE,
    plannedDueMs: T0,
    paceVersion: 1,
    backOff: 1,
    backOffAtMs: 0,
    backOffReason: null,
    waiting: null,
    memoryPauses: 0,
    lastMemoryPauseAtMs: null,
    lease: null,
    fence: 3,
    lastTick: { atMs: T0, durationMs: 2_000, endedBecause: "read-ahead full" },
    queueEmptySinceMs: null,
    quiet: null,
    seen: null,
    nextTickAtMs: T0 + MINUTE,
    tunes: [],
    ...different,
  };
}

/** A window of `events` events. Each given batch is finished with those counts (null: it was begun and is not finished). */
export function sampleWindow(
  number: number,
  batches: readonly (BatchCounts | null)[],
  different: Partial<WindowItem> = {},
): OpenWindow {
  const key = { runId: "run-1", generation: 1, window: number, fence: 3 };
  const entries: readonly LedgerEntry[] = batches.map((counts, index) => ({
    key: { ...key, number: index },
    attempts: 1,
    dueMs: null,
    paceVersion: null,
    removals: 0,
    waits: 0,
    outcome: counts === null ? null : counts.dead > 0 && counts.applied + counts.stale === 0 ? "dead" : "applied",
    counts,
    finishedAtMs: counts === null ? null : T0,
    correctionPending: false,
  }));
  const window: WindowItem = {
    runId: "run-1",
    generation: 1,
    number,
    fence: 3,
    from: null,
    to: cursorAt(1_550, T0),
    batches: batches.length,
    events: batches.length * 5,
    bytes: 1_000,
    sentAtMs: T0,
    received: batches.length * 5,
    skipped: {},
    ...different,
  };
  return { window, entries };
}
