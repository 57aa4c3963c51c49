/**
 * One tick of the reader: take the lease, reconcile, take the next status, read windows, release the lease. The same on AWS (once a
 * minute) and in a long-lived process (as soon as `nextInMs` says). If no run is open, it costs one Get.
 */
import type { NewRun, Run } from "@firehose-backfill/checkpoint/run";
import type { Lease } from "@firehose-backfill/checkpoint/window";
import { describeError } from "@firehose-backfill/core/errors";
import type { ReaderDeps } from "./deps.ts";
import type { Outstanding } from "./advance-applied.ts";
import { FAILED, failingSince } from "./failing-since.ts";
import { followSettings } from "./follow-settings.ts";
import { keepOffPeak } from "./off-peak.ts";
import { keepLease } from "./lease-keeper.ts";
import { freeReadAheadMs } from "./read-ahead.ts";
import { type ReadReport, readWindows } from "./read-windows.ts";
import { takeNextStatus } from "./next-status.ts";
import { reconcile } from "./reconcile.ts";

export interface TickOptions {
  /** Ends the tick early: the current window is still sent and stored. */
  readonly signal: AbortSignal;
  /** Creates the run to begin if no run has ever existed; null: begin none. Called only then. */
  readonly firstRun: (() => NewRun | null) | null;
}

export interface TickResult {
  /** As last read; null: there is no open run. */
  readonly run: Run | null;
  readonly endedBecause: string;
  /** When a long-lived process should tick again. */
  readonly nextInMs: number;
  /** null: nothing was read. */
  readonly read: ReadReport | null;
  /** As the tick last saw it; null: it was not read. */
  readonly outstanding: Outstanding | null;
  readonly isLeaseLost: boolean;
}

export async function runTick(deps: ReaderDeps, options: TickOptions): Promise<TickResult> {
  const { store, clock, timing } = deps;
  const startedAtMs = clock.now();
  const current = await openRun(deps, options);
  if (current === null) return nothing(null, "no run", timing.tickMs);
  const held = await store.acquireLease(current.runId, {
    owner: deps.owner,
    ttlMs: timing.leaseTtlMs,
    nowMs: startedAtMs,
  });
  if (held === null) return nothing(current, "another reader holds the lease", timing.lookAgainMs);

  const { lease } = held;
  await using keeper = keepLease({ store, clock, lease, ttlMs: timing.leaseTtlMs, signal: options.signal });
  let result: TickResult;
  let queueEmptySinceMs = held.run.queueEmptySinceMs;
  try {
    const reconciled = await reconcile(deps, lease, held.run);
    if (reconciled === null) return { ...nothing(held.run, "lease lost", timing.lookAgainMs), isLeaseLost: true };
    ({ queueEmptySinceMs } = reconciled);
    const followed =
      deps.deployed === undefined ? reconciled.run : await followSettings(deps, reconciled.run, deps.deployed);
    const run = await keepOffPeak(deps, followed);
    result = await work(
      deps,
      lease,
      { ...reconciled, run },
      { signal: keeper.signal, deadlineMs: startedAtMs + timing.tickBudgetMs },
    );
  } catch (error) {
    const message = describeError(error);
    deps.log(`[BACKFILL] Reader: ${message}`);
    await noteFailure(deps, held.run.runId, error);
    result = nothing(held.run, `${FAILED}${message}`, timing.lookAgainMs);
    if (!keeper.isLost())
      await release(deps, lease, result, { ...held, startedAtMs, queueEmptySinceMs }).catch(() => undefined);
    throw error;
  }
  await release(deps, lease, result, { ...held, startedAtMs, queueEmptySinceMs });
  return result;
}

async function openRun(deps: ReaderDeps, options: TickOptions): Promise<Run | null> {
  const run = await deps.store.currentRun({ openOnly: true });
  if (run !== null || options.firstRun === null) return run;
  // Only if no run has ever existed: the schedule does not begin a new run after a finished one.
  if ((await deps.store.currentRun()) !== null) return null;
  const first = options.firstRun();
  return first === null ? null : deps.store.createRun(first);
}

async function work(
  deps: ReaderDeps,
  lease: Lease,
  from: { readonly run: Run; readonly outstanding: Outstanding },
  options: { readonly signal: AbortSignal; readonly deadlineMs: number },
): Promise<TickResult> {
  const taken = await takeNextStatus(deps, from.run, from.outstanding);
  const { run } = taken;
  const { outstanding } = from;
  if (taken.readsNot !== null) return { ...nothing(run, taken.readsNot, deps.timing.lookAgainMs), outstanding };
  if (deps.memory.isOverLimit()) return { ...nothing(run, "memory", deps.timing.lookAgainMs), outstanding };
  const read = await readWindows(deps, lease, { run, outstanding }, options);
  return {
    run: read.run,
    endedBecause: read.endedBecause,
    nextInMs: nextInMs(deps, read),
    read,
    outstanding: read.outstanding,
    isLeaseLost: read.isLeaseLost,
  };
}

/** When the read-ahead is full: the time until enough of it is free for another read, but never later than the next look. */
function nextInMs(deps: ReaderDeps, read: ReadReport): number {
  const { timing, clock } = deps;
  // The tick's time ended before its work did, so the next tick begins at once.
  if (read.endedBecause === "time") return 0;
  if (read.endedBecause !== "read-ahead full") return timing.lookAgainMs;
  const free = freeReadAheadMs({
    run: read.run,
    outstanding: read.outstanding,
    nowMs: clock.now(),
    tickMs: timing.tickMs,
    recentRate: 0,
  });
  return Math.min(timing.lookAgainMs, Math.max(0, timing.leastReadAheadMs - free));
}

function nothing(run: Run | null, endedBecause: string, nextIn: number): TickResult {
  return { run, endedBecause, nextInMs: nextIn, read: null, outstanding: null, isLeaseLost: false };
}

async function release(
  deps: ReaderDeps,
  lease: Lease,
  result: TickResult,
  /** `run`: before the tick. */
  at: { readonly run: Run; readonly startedAtMs: number; readonly queueEmptySinceMs: number | null },
): Promise<void> {
  const nowMs = deps.clock.now();
  const tick = { atMs: at.startedAtMs, durationMs: nowMs - at.startedAtMs, endedBecause: result.endedBecause };
  const failing = failingSince(at.run, { ...tick, frames: result.read?.frames ?? 0, endedAtMs: nowMs });
  await deps.store.releaseLease(lease, {
    tick: { ...tick, ...failing },
    nextTickAtMs: nowMs + result.nextInMs,
    queueEmptySinceMs: at.queueEmptySinceMs,
  });
}

async function noteFailure(deps: ReaderDeps, runId: string, error: unknown): Promise<void> {
  // As long as a cause lasts, every tick fails because of it.
  const kind = `tick: ${error instanceof Error ? error.name : "unknown"}`;
  const message = describeError(error);
  try {
    await deps.store.addError(runId, { atMs: deps.clock.now(), source: "reader", message, kind });
  } catch {
    // The table itself may have failed; the log line above has the error.
  }
}
