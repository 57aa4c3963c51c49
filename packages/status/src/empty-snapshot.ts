/** The Snapshot that is shown if there is no run. */
import type { ProcessFigures } from "./process-figures.ts";
import { roundOrNull } from "./rounding.ts";
import type { Snapshot } from "./snapshot.ts";

/** The part of a Snapshot that depends on a run. */
export type RunPart = Omit<Snapshot, "settings" | "queue" | "at" | "verdict">;

export function emptySnapshot(process: ProcessFigures): RunPart {
  return {
    runId: null,
    name: null,
    status: "none",
    reason: null,
    host: null,
    source: null,
    repos: null,
    hosts: [],
    profile: null,
    asked: null,
    startedAt: null,
    outage: null,
    waiting: null,
    received: 0,
    processed: 0,
    skipped: {},
    dead: 0,
    deadReasons: {},
    ratePerSecond: 0,
    averageRatePerSecond: null,
    allowedRatePerSecond: null,
    cursor: { start: null, reader: null, applied: null, target: null },
    lagSeconds: null,
    progress: null,
    goal: null,
    etaSeconds: null,
    retentionSeconds: null,
    fallsOffInSeconds: null,
    memory: { usedMb: roundOrNull(process.memoryUsedMb, 1), limitMb: null, pauses: 0, lastPauseAt: null, backOff: 1 },
    consumers: { active: process.active, max: 0 },
    pool: process.pool,
    lastTick: null,
    nextTickAt: null,
    gaps: [],
    resyncs: { count: 0, done: 0, first: [] },
    audit: null,
    errors: [],
    tunes: [],
    actions: [],
    elapsedSeconds: 0,
  };
}
