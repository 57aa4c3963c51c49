/** Computes the changes of a run as values. The store writes them under its conditions. */
import type { BatchCounts } from "@firehose-backfill/core/batch";
import { processedOf } from "@firehose-backfill/core/batch-counts";
import { canTransition, isFinished, RUN_STATUSES, type RunStatus } from "@firehose-backfill/core/run-state";
import type { ScopeSettings } from "@firehose-backfill/core/config/settings";
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import { addDeadReasons, addSkipped, boundTunes, shorten, shortenName, shortenOrNull } from "./bounds.ts";
import { BrokenStateError } from "./errors.ts";
import type { Pace, Sources } from "./pace.ts";
import { paceIdOf } from "./pace-id.ts";
import type { NewRun, Run, RunItem, RunTotals, TickReport } from "./run.ts";
import type { NewGeneration, RunPatch, TuneChange } from "./run-changes.ts";
import type { CursorMove, Lease } from "./window.ts";

/** The states in which a run may still change. */
export const OPEN_STATUSES: readonly RunStatus[] = RUN_STATUSES.filter((status) => !isFinished(status));

const NO_TOTALS: RunTotals = { received: 0, processed: 0, stale: 0, dead: 0, deadReasons: {}, skipped: {} };
const MAX_ID_CHARS = 64;
const MAX_TICK_BYTES = 60;

export function newRunValue(run: NewRun): Run {
  assertId("run", run.runId);
  return {
    runId: run.runId,
    name: run.name ?? null,
    generation: 1,
    status: run.status ?? "enqueued",
    reason: null,
    pausedNow: false,
    source: run.source,
    paceId: paceIdOf(run.database?.id),
    database: run.database === undefined ? null : boundDatabase(run.database),
    profile: run.profile,
    throttle: run.throttle,
    sources: run.sources,
    offPeak: null,
    seen: run.seen ?? null,
    start: run.start,
    end: run.end,
    createdAtMs: run.createdAtMs,
    finishedAtMs: null,
    pausedMs: 0,
    pausedSinceMs: null,
    startPosition: null,
    readerCursor: null,
    appliedCursor: null,
    target: null,
    sourceState: null,
    sourceMoved: false,
    progress: null,
    keptSinceMs: null,
    registered: 0,
    appliedWindow: 0,
    totals: NO_TOTALS,
    lastFinishedAtMs: null,
    plannedDueMs: wholeMs(run.createdAtMs),
    // Batches that were planned without pacing have the version 0.
    paceVersion: 1,
    backOff: 1,
    backOffAtMs: 0,
    backOffReason: null,
    waiting: null,
    memoryPauses: 0,
    lastMemoryPauseAtMs: null,
    lease: null,
    fence: 0,
    lastTick: null,
    queueEmptySinceMs: null,
    quiet: null,
    nextTickAtMs: null,
    tunes: [],
  };
}

const SCOPE: ReadonlySet<string> = new Set<keyof ScopeSettings>([
  "source",
  "relayUrl",
  "days",
  "collections",
  "dids",
  "verify",
]);

/** Splits sources into those of the run's scope and those of its pace. */
export function splitSources(sources: Sources): { readonly ofScope: Sources; readonly ofPace: Sources } {
  const [ofScope = [], ofPace = []] = [true, false].map((isScope) =>
    Object.entries(sources).filter(([key]) => SCOPE.has(key) === isScope),
  );
  return { ofScope: Object.fromEntries(ofScope), ofPace: Object.fromEntries(ofPace) };
}

/**
 * The counter of the pace is in whole milliseconds, so that a reader can compare it with exactly what it has read. It is
 * rounded up, which makes the run slower and never faster.
 */
export function wholeMs(ms: number): number {
  if (!Number.isFinite(ms)) throw new BrokenStateError(`${ms} is no moment of the pace`);
  return Math.ceil(ms);
}

export function laterOf(left: number | null, right: number | null): number | null {
  return left === null || right === null ? (left ?? right) : Math.max(left, right);
}

/** The states of `from` from which the table of transitions allows `to`. A run may also stay in its state and get a new reason. */
export function allowedSources(from: readonly RunStatus[], to: RunStatus): RunStatus[] {
  return from.filter((status) => status === to || canTransition(status, to));
}

/** Shortens a name to what is stored, because a name may have any length. */
export function boundDatabase({ id, name }: DatabaseIdentity): DatabaseIdentity {
  return { id: shorten(id, MAX_ID_CHARS), name: shortenName(name) };
}

/** The fields that a tune of `pace` sets. */
export function tunedFields(pace: Pace, change: TuneChange): Partial<Pace> {
  return {
    throttle: change.throttle,
    profile: change.profile,
    sources: splitSources(change.sources).ofPace,
    ...(change.offPeak !== undefined && { offPeak: change.offPeak }),
    ...(change.seen !== undefined && { seen: change.seen }),
    tunes: boundTunes([...pace.tunes, change.record]).tunes,
    plannedDueMs: wholeMs(change.nowMs),
    paceVersion: pace.paceVersion + 1,
  };
}

/** The fields that a transition changes beside the status. Fields that are missing in the patch do not change. */
export function patchOf(patch: RunPatch): Partial<RunItem> {
  return {
    ...(patch.reason !== undefined && { reason: shortenOrNull(patch.reason) }),
    ...(patch.pausedNow !== undefined && { pausedNow: patch.pausedNow }),
    ...(patch.finishedAtMs !== undefined && { finishedAtMs: patch.finishedAtMs }),
    ...(patch.pausedMs !== undefined && { pausedMs: patch.pausedMs }),
    ...(patch.pausedSinceMs !== undefined && { pausedSinceMs: patch.pausedSinceMs }),
    ...(patch.target !== undefined && { target: patch.target }),
  };
}

/** Whether the run may begin the new generation: see NewGeneration. */
export function canRenew(run: RunItem, change: NewGeneration): boolean {
  const isChosen = change.start !== undefined || run.appliedCursor?.ordinal === change.cursor?.ordinal;
  return run.generation === change.generationBefore && !isFinished(run.status) && isChosen;
}

/** A new generation of `run`. Unfinished windows are dropped: `appliedWindow` moves past them, and their counts are never added. */
export function newGenerationOf(run: RunItem, change: NewGeneration): Partial<RunItem> {
  return {
    generation: run.generation + 1,
    readerCursor: change.cursor,
    appliedCursor: change.cursor,
    appliedWindow: run.registered,
    queueEmptySinceMs: null,
    quiet: null,
    sourceMoved: true,
    // The end of the stream is determined again. With the old end, nothing before it would be read again.
    target: null,
    ...(change.start !== undefined && {
      start: change.start,
      startPosition: null,
      keptSinceMs: null,
    }),
  };
}

export function boundTick(tick: TickReport): TickReport {
  return { ...tick, endedBecause: shorten(tick.endedBecause, MAX_TICK_BYTES) };
}

/** The fields that registering a window sets. */
export function movedFields(move: CursorMove): Partial<RunItem> {
  const { window, generation: _condition, ...measured } = move;
  return { ...measured, registered: window, sourceMoved: false };
}

/** Whether a cursor that could not be moved is already where it should be. @throws BrokenStateError if it would go back */
export function isMoved(run: RunItem | null, lease: Lease, move: CursorMove): boolean {
  if (run === null || run.fence !== lease.fence || run.generation !== move.generation) return false;
  if (run.registered === move.window - 1 && (run.readerCursor?.ordinal ?? 0) > move.readerCursor.ordinal)
    throw new BrokenStateError(
      `the reader cursor cannot go back from ${run.readerCursor?.ordinal} to ${move.readerCursor.ordinal} within generation ${run.generation}`,
    );
  return run.registered === move.window;
}

export function addTotals(to: RunTotals, add: RunTotals): RunTotals {
  return {
    received: to.received + add.received,
    processed: to.processed + add.processed,
    stale: to.stale + add.stale,
    dead: to.dead + add.dead,
    deadReasons: addDeadReasons(to.deadReasons, add.deadReasons),
    skipped: addSkipped(to.skipped, add.skipped),
  };
}

/** The change of the totals after a redrive: the batch counts as `after` and no longer as `before`. */
export function correctionOf(before: BatchCounts, after: BatchCounts): RunTotals {
  return {
    received: (after.removed ?? 0) - (before.removed ?? 0),
    processed: processedOf(after) - processedOf(before),
    stale: after.stale - before.stale,
    dead: after.dead - before.dead,
    deadReasons: difference(before.deadReasons ?? {}, after.deadReasons ?? {}),
    skipped: {},
  };
}

/** What must be added to `before` to get `after`. Names without a difference are left out. */
export function difference(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return Object.fromEntries(
    [...names].map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)] as const).filter(([, by]) => by !== 0),
  );
}

/** Ids become parts of keys. @throws BrokenStateError */
export function assertId(kind: string, id: string): void {
  if (!/^[\w.:@/-]+$/.test(id) || id.length > MAX_ID_CHARS)
    throw new BrokenStateError(
      `${JSON.stringify(id)} is no ${kind} id: 1 to ${MAX_ID_CHARS} of A-Z a-z 0-9 _ . : @ / -`,
    );
}
