/** Builds the Snapshot that all views show from the parts of a run. Pure; collect-snapshot.ts reads the parts. */
import type { AuditNote } from "@firehose-backfill/core/audit-note";
import type { ConsumerReport, Gap, RunAction, RunError } from "@firehose-backfill/checkpoint/notes";
import type { Resyncs } from "@firehose-backfill/checkpoint/resync-store";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { OpenWindow } from "@firehose-backfill/checkpoint/window";
import { settingName } from "@firehose-backfill/core/config/definitions";
import type { ScopeSettings } from "@firehose-backfill/core/config/settings";
import type { Cursor } from "@firehose-backfill/source/cursor";
import type { SourceHost } from "@firehose-backfill/source/source-hosts";
import type { QueueFigures } from "@firehose-backfill/queue/types";
import { allowedRatePerSecond, effectiveDelayMs } from "@firehose-backfill/throttle/slots";

import { askedOf } from "./asked.ts";
import { outageOf } from "./outage.ts";
import { emptySnapshot, type RunPart } from "./empty-snapshot.ts";
import { type LocalFigures, processFigures } from "./process-figures.ts";
import { elapsedMs, etaSeconds, goalOf, progressOf, retentionOf } from "./progress.ts";
import { addRateSample, RATE_WINDOW_MS, rateOf, type RateSample, rateWindowMs } from "./rate-window.ts";
import { floorOrNull, iso, round, roundOrNull } from "./rounding.ts";
import { groupErrors } from "./group-errors.ts";
import { reasonOf } from "./run-reason.ts";
import type { Snapshot, SnapshotAudit, SnapshotPosition } from "./snapshot.ts";
import { lastFinishedMs, liveTotals } from "./totals.ts";
import { standsStill, verdictOf } from "./verdict.ts";

export interface SnapshotInput {
  readonly run: Run | null;
  readonly openWindows: readonly OpenWindow[];
  readonly gaps: readonly Gap[];
  /** Absent: none. */
  readonly resyncs?: Resyncs;
  /** Absent or null: none was made. */
  readonly audit?: AuditNote | null;
  readonly errors: readonly RunError[];
  readonly consumers: readonly ConsumerReport[];
  /** Absent: none is known. */
  readonly actions?: readonly RunAction[];
  readonly queue: QueueFigures;
  readonly local?: LocalFigures;
  /** The samples of the last minute, oldest first; this snapshot's own is added. */
  readonly rateSamples: readonly RateSample[];
  readonly settings: Snapshot["settings"];
  /** The run's scope; null or absent: not known. */
  readonly scope?: ScopeSettings | null;
  /** Of a run over repositories. */
  readonly hosts?: readonly SourceHost[];
  readonly nowMs: number;
}

const MAX_ERRORS = 20;

export function buildSnapshot(input: SnapshotInput): Snapshot {
  const { run } = input;
  const shared = { settings: input.settings, queue: input.queue, at: iso(input.nowMs) };
  const judged = { ...(run === null ? emptySnapshot(processFigures(input)) : runSnapshot(input, run)), ...shared };
  return { ...judged, verdict: verdictOf(judged) };
}

function allowedRate({ throttle, backOff }: Run): number | null {
  return allowedRatePerSecond({
    batchSize: throttle.batchSize,
    effectiveDelayMs: effectiveDelayMs(throttle, backOff),
  });
}

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
    name: run.name,
    status: run.status,
    reason: reasonOf(run, input.errors),
    host: run.source.host,
    source: run.source.kind,
    repos: reposOf(run),
    hosts: input.hosts ?? [],
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
    goal: goalOf(run),
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
    resyncs: {
      count: input.resyncs?.count ?? 0,
      done: input.resyncs?.done ?? 0,
      first: (input.resyncs?.first ?? []).map(({ did, reason, rev, atMs, takenBy = null }) => ({
        did,
        reason,
        rev,
        at: iso(atMs),
        takenBy,
      })),
    },
    audit: auditOf(input),
    gaps: input.gaps.map((gap) => ({
      from: toPosition(gap.from),
      to: toPosition(gap.to),
      host: gap.host,
      reason: gap.reason,
    })),
    errors: groupErrors(input.errors).slice(-MAX_ERRORS),
    actions: (input.actions ?? []).map(({ atMs, ...action }) => ({ at: iso(atMs), ...action })),
    tunes: run.tunes.map(({ atMs, by, who, changes }) => ({
      at: iso(atMs),
      by,
      ...(who === undefined ? {} : { who }),
      pending: run.finishedAtMs === null && atMs >= lastFinishedMs(run, input.openWindows),
      changes: named(changes),
    })),
    elapsedSeconds: round(elapsed / 1_000, 1),
  };
}

function auditOf({ audit = null }: SnapshotInput): SnapshotAudit | null {
  if (audit === null) return null;
  const { atMs, ...rest } = audit;
  return { at: iso(atMs), ...rest };
}

function reposOf({ progress }: Run): Snapshot["repos"] {
  if (progress === null) return null;
  const { isComplete: _isComplete, ...counts } = progress;
  return counts;
}

/** A shorter time says little: one batch more or less would be a large part of it. */
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

/** Only a run that has succeeded shows 100 %. */
function shownProgress({ status }: Run, progress: number | null): number | null {
  const rounded = floorOrNull(progress, 4);
  return rounded === null || status === "succeeded" ? rounded : Math.min(0.9999, rounded);
}

function hasTicks({ status }: Run): boolean {
  return status === "enqueued" || status === "running" || status === "pausing" || status === "cancelling";
}

/** By the settings' own names, which `tune` takes, too. */
function named<T>(changes: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(changes).map(([key, change]) => [settingName(key), change]));
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
