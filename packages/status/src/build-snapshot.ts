/** Puts the parts of a run together into the one Snapshot that everything shows. Pure; collect-snapshot.ts reads the parts. */
import type { ConsumerReport, Gap, RunError } from "@firehose-backfill/checkpoint/notes";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { OpenWindow } from "@firehose-backfill/checkpoint/window";
import { settingName } from "@firehose-backfill/core/config/definitions";
import type { ScopeSettings } from "@firehose-backfill/core/config/settings";
import type { Cursor } from "@firehose-backfill/source/cursor";
import type { QueueFigures } from "@firehose-backfill/queue/types";
import { allowedRatePerSecond, effectiveDelayMs } from "@firehose-backfill/throttle/slots";

import { askedOf } from "./asked.ts";
import { outageOf } from "./outage.ts";
import { elapsedMs, etaSeconds, progressOf, retentionOf } from "./progress.ts";
import { addRateSample, RATE_WINDOW_MS, rateOf, type RateSample, rateWindowMs } from "./rate-window.ts";
import type { Snapshot, SnapshotPosition } from "./snapshot.ts";
import { lastFinishedMs, liveTotals } from "./totals.ts";
import { standsStill, verdictOf } from "./verdict.ts";

/** What this process knows of itself, fresher than what it last reported. */
export interface LocalFigures {
  /** The report that these figures replace, if this process reports too. */
  readonly consumerId: string | null;
  readonly memoryUsedMb: number;
  /** Batches being applied. */
  readonly active: number;
  readonly poolUsed: number;
  readonly poolSize: number;
}

export interface SnapshotInput {
  readonly run: Run | null;
  readonly openWindows: readonly OpenWindow[];
  readonly gaps: readonly Gap[];
  readonly errors: readonly RunError[];
  readonly consumers: readonly ConsumerReport[];
  readonly queue: QueueFigures;
  readonly local?: LocalFigures;
  /** Of the last minute, oldest first; this snapshot's own is added. */
  readonly rateSamples: readonly RateSample[];
  readonly settings: Snapshot["settings"];
  /** The run's; null or left out: not known. */
  readonly scope?: ScopeSettings | null;
  readonly nowMs: number;
}

/** A consumer that has not reported for so long is gone, or idle: either way it holds nothing. */
const REPORT_FRESH_MS = 90_000;
const MAX_ERRORS = 20;

export function buildSnapshot(input: SnapshotInput): Snapshot {
  const { run } = input;
  const shared = { settings: input.settings, queue: input.queue, at: iso(input.nowMs) };
  const judged = { ...(run === null ? emptySnapshot(input) : runSnapshot(input, run)), ...shared };
  return { ...judged, verdict: verdictOf(judged) };
}

function allowedRate({ throttle, backOff }: Run): number | null {
  return allowedRatePerSecond({
    batchSize: throttle.batchSize,
    effectiveDelayMs: effectiveDelayMs(throttle, backOff),
  });
}

/**
 * The run item keeps the beginning of a reason, and of what is waited for its kind alone; the whole of it is the error that
 * was noted with it.
 */
function reasonOf(run: Run, errors: readonly RunError[]): string | null {
  const { waiting } = run;
  const ofConsumers = errors.filter(({ source }) => source === "consumer").toReversed();
  if (run.reason !== null) {
    const beginning = uncut(run.reason);
    return ofConsumers.find(({ message }) => message.startsWith(beginning))?.message ?? run.reason;
  }
  if (waiting === null) return null;
  const latest = ofConsumers.find(({ atMs }) => atMs >= waiting.sinceMs)?.message ?? waiting.for;
  return latest.startsWith(uncut(waiting.for)) ? `waiting: ${latest}` : `waiting: ${waiting.for}: ${latest}`;
}

/** Without the ellipsis that the store puts where it cuts. */
function uncut(text: string): string {
  return text.endsWith("…") ? text.slice(0, -1) : text;
}

type RunPart = Omit<Snapshot, "settings" | "queue" | "at" | "verdict">;

function runSnapshot(input: SnapshotInput, run: Run): RunPart {
  const { nowMs } = input;
  const totals = liveTotals(run.totals, input.openWindows);
  const elapsed = elapsedMs(run, nowMs);
  const isMoving = run.status === "running" || run.status === "pausing";
  const average = averageOf(totals.processed, elapsed, isMoving);
  const rate = isMoving ? measuredRate(input, run, totals.processed) : 0;
  const progress = progressOf(run, input.openWindows);
  const outage = outageOf(run, input.openWindows);
  const eta = etaSeconds({
    run,
    progress,
    elapsedMs: elapsed,
    done: totals.processed + totals.dead,
    outstanding: totals.outstanding,
    ratePerSecond: rate,
  });
  const reader = {
    status: run.status,
    at: iso(nowMs),
    outage: outage === null ? null : { text: outage.text, since: iso(outage.sinceMs) },
    waiting: run.waiting === null ? null : { for: run.waiting.for, since: iso(run.waiting.sinceMs) },
    lastTick:
      run.lastTick === null
        ? null
        : { at: iso(run.lastTick.atMs), durationMs: run.lastTick.durationMs, endedBecause: run.lastTick.endedBecause },
  };
  const process = processFigures(input);
  return {
    runId: run.runId,
    status: run.status,
    reason: reasonOf(run, input.errors),
    host: run.source.host,
    profile: run.profile,
    asked: askedOf(run, input.scope ?? null),
    startedAt: iso(run.createdAtMs),
    outage: reader.outage,
    waiting: reader.waiting,
    received: totals.received,
    processed: totals.processed,
    skipped: totals.skipped,
    dead: totals.dead,
    deadReasons: totals.deadReasons,
    ratePerSecond: floorOrNull(rate, 2),
    averageRatePerSecond: floorOrNull(average, 2),
    allowedRatePerSecond: roundOrNull(allowedRate(run), 3),
    cursor: {
      start: position(run.startPosition),
      reader: position(run.readerCursor),
      applied: position(run.appliedCursor),
      target: position(run.target),
    },
    lagSeconds: lagSeconds(run, nowMs),
    progress: shownProgress(run, progress),
    etaSeconds: standsStill(reader) ? null : roundOrNull(eta, 1),
    ...retention(run, nowMs),
    memory: {
      usedMb: roundOrNull(process.memoryUsedMb, 1),
      limitMb: run.throttle.maxMemoryMb,
      pauses: run.memoryPauses,
      lastPauseAt: run.lastMemoryPauseAtMs === null ? null : iso(run.lastMemoryPauseAtMs),
      backOff: run.backOff,
    },
    consumers: { active: process.active, max: run.throttle.maxConcurrent },
    pool: process.pool,
    lastTick: reader.lastTick,
    nextTickAt: run.nextTickAtMs === null || !hasTicks(run) ? null : iso(run.nextTickAtMs),
    gaps: input.gaps.map((gap) => ({
      from: toPosition(gap.from),
      to: toPosition(gap.to),
      host: gap.host,
      reason: gap.reason,
    })),
    errors: input.errors.slice(-MAX_ERRORS).map((error) => ({
      at: iso(error.atMs),
      source: error.source,
      message: `${error.message}${timesText(error)}`,
    })),
    tunes: run.tunes.map(({ atMs, by, changes }) => ({
      at: iso(atMs),
      by,
      pending: run.finishedAtMs === null && atMs >= lastFinishedMs(run, input.openWindows),
      changes: named(changes),
    })),
    elapsedSeconds: round(elapsed / 1_000, 1),
  };
}

function timesText({ times = 1, firstAtMs }: RunError): string {
  if (times <= 1) return "";
  return firstAtMs === undefined ? ` (${times} times)` : ` (${times} times since ${iso(firstAtMs)})`;
}

/** Less than so long says little: a batch more or less would be a large part of it. */
const LEAST_AVERAGED_MS = RATE_WINDOW_MS / 2;

function averageOf(processed: number, elapsed: number, isMoving: boolean): number | null {
  if (elapsed < (isMoving ? LEAST_AVERAGED_MS : 1_000)) return null;
  return (processed * 1_000) / elapsed;
}

function measuredRate({ rateSamples, nowMs }: SnapshotInput, run: Run, processed: number): number | null {
  const windowMs = rateWindowMs(effectiveDelayMs(run.throttle, run.backOff));
  const sample = { runId: run.runId, paceVersion: run.paceVersion, atMs: nowMs, processed };
  return rateOf(addRateSample(rateSamples, sample, windowMs), nowMs, windowMs);
}

/** Only a run that has succeeded shows all of it. */
function shownProgress({ status }: Run, progress: number | null): number | null {
  const rounded = floorOrNull(progress, 4);
  return rounded === null || status === "succeeded" ? rounded : Math.min(0.9999, rounded);
}

function hasTicks({ status }: Run): boolean {
  return status === "enqueued" || status === "running" || status === "pausing" || status === "cancelling";
}

/** By the settings' own names, as they are tuned by. */
function named<T>(changes: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(changes).map(([key, change]) => [settingName(key), change]));
}

function emptySnapshot(input: SnapshotInput): RunPart {
  const process = processFigures(input);
  return {
    runId: null,
    status: "none",
    reason: null,
    host: null,
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
    etaSeconds: null,
    retentionSeconds: null,
    fallsOffInSeconds: null,
    memory: { usedMb: roundOrNull(process.memoryUsedMb, 1), limitMb: null, pauses: 0, lastPauseAt: null, backOff: 1 },
    consumers: { active: process.active, max: 0 },
    pool: process.pool,
    lastTick: null,
    nextTickAt: null,
    gaps: [],
    errors: [],
    tunes: [],
    elapsedSeconds: 0,
  };
}

/** All consumer processes as one: memory is that of the fullest, because the limit holds for each. */
function processFigures(input: SnapshotInput): {
  memoryUsedMb: number | null;
  active: number;
  pool: { used: number; size: number };
} {
  const others = input.consumers.filter(
    ({ id, atMs }) => id !== (input.local?.consumerId ?? null) && input.nowMs - atMs <= REPORT_FRESH_MS,
  );
  const all = others.map((report) => ({ ...report, memoryUsedMb: report.rssMb }));
  const parts = input.local === undefined ? all : [...all, input.local];
  return {
    memoryUsedMb: parts.length === 0 ? null : Math.max(...parts.map((part) => part.memoryUsedMb)),
    active: sum(parts.map((part) => part.active)),
    pool: { used: sum(parts.map((part) => part.poolUsed)), size: sum(parts.map((part) => part.poolSize)) },
  };
}

function retention(run: Run, nowMs: number): Pick<Snapshot, "retentionSeconds" | "fallsOffInSeconds"> {
  const { retentionSeconds, fallsOffInSeconds } = retentionOf(run, nowMs);
  return { retentionSeconds: roundOrNull(retentionSeconds, 0), fallsOffInSeconds: roundOrNull(fallsOffInSeconds, 0) };
}

function lagSeconds({ appliedCursor }: Run, nowMs: number): number | null {
  const atMs = appliedCursor?.timeMs ?? null;
  return atMs === null ? null : round(Math.max(0, nowMs - atMs) / 1_000, 1);
}

function position(value: Cursor | null): SnapshotPosition | null {
  return value === null ? null : toPosition(value);
}

function toPosition({ ordinal, timeMs }: Cursor): SnapshotPosition {
  return { seq: ordinal, time: timeMs === null ? null : iso(timeMs) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Down: a figure is never more than what was done. */
function floorOrNull(value: number | null, digits: number): number | null {
  const scale = 10 ** digits;
  // A difference beyond the ninth digit is a rounding error.
  return value === null ? null : Math.floor(Number((value * scale).toFixed(9))) / scale;
}

function roundOrNull(value: number | null, digits: number): number | null {
  return value === null ? null : round(value, digits);
}
