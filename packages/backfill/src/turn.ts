/** One run's part of a tick: its lease, held while the tick works and released with what became of it. What fails is noted in the run. */
import type { Quiet, Run } from "@firehose-backfill/checkpoint/run";
import type { Lease } from "@firehose-backfill/checkpoint/window";
import { describeError } from "@firehose-backfill/core/errors";
import type { Outstanding } from "./advance-applied.ts";
import type { ReaderDeps } from "./deps.ts";
import { FAILED, failingSince } from "./failing-since.ts";
import { keepLease, type LeaseKeeper } from "./lease-keeper.ts";
import type { ReadReport } from "./read-windows.ts";

export interface TurnResult {
  /** As last read. */
  readonly run: Run;
  readonly endedBecause: string;
  /** When a long-lived process should tick again. */
  readonly nextInMs: number;
  /** null: nothing was read. */
  readonly read: ReadReport | null;
  /** As the tick last saw it; null: it did not look. */
  readonly outstanding: Outstanding | null;
  readonly isLeaseLost: boolean;
  /** What the run's part of the tick failed with; it is logged and noted in the run. Left out: it did not. */
  readonly failure?: { readonly error: unknown };
}

export interface Turn {
  readonly lease: Lease;
  /** As it was when the lease was taken. */
  readonly before: Run;
  readonly keeper: LeaseKeeper;
  /** For the next tick, once it has been looked. */
  since: { readonly queueEmptySinceMs: number | null; readonly quiet: Quiet | null };
  /** null: it goes on. */
  result: TurnResult | null;
}

/** A result: another reader holds the lease, or the table did not say. Never rejects: the leases of other runs have to be released. */
export async function beginTurn(deps: ReaderDeps, run: Run, signal: AbortSignal): Promise<Turn | TurnResult> {
  const { store, clock, timing } = deps;
  const ttlMs = timing.leaseTtlMs;
  let held: Awaited<ReturnType<typeof store.acquireLease>>;
  try {
    held = await store.acquireLease(run.runId, { owner: deps.owner, ttlMs, nowMs: clock.now() });
  } catch (error) {
    return { ...nothing(run, `${FAILED}${describeError(error)}`, timing.lookAgainMs), failure: { error } };
  }
  if (held === null) return nothing(run, "another reader holds the lease", timing.lookAgainMs);
  const { lease, run: before } = held;
  const { queueEmptySinceMs, quiet } = before;
  const keeper = keepLease({ store, clock, lease, ttlMs, signal });
  return { lease, before, keeper, since: { queueEmptySinceMs, quiet }, result: null };
}

export function isTurn(begun: Turn | TurnResult): begun is Turn {
  return "keeper" in begun;
}

export function nothing(run: Run, endedBecause: string, nextInMs: number): TurnResult {
  return { run, endedBecause, nextInMs, read: null, outstanding: null, isLeaseLost: false };
}

/** The next step of a turn that goes on. What it fails with is the turn's result, and not the end of the others'. */
export async function step(deps: ReaderDeps, turn: Turn, work: () => Promise<void>): Promise<void> {
  if (turn.result !== null) return;
  try {
    await work();
  } catch (error) {
    const message = describeError(error);
    deps.log(`[BACKFILL] Reader: ${message}`);
    await noteFailure(deps, turn.before.runId, error);
    turn.result = { ...nothing(turn.before, `${FAILED}${message}`, deps.timing.lookAgainMs), failure: { error } };
  }
}

/** Releases the lease and stores the end of the tick. */
export async function endTurn(deps: ReaderDeps, turn: Turn, startedAtMs: number): Promise<TurnResult> {
  const result = turn.result ?? nothing(turn.before, "stopped", deps.timing.lookAgainMs);
  // After a failure the table may be away as well; the lease then runs out by itself.
  const isFailed = result.failure !== undefined;
  try {
    if (!turn.keeper.isLost() || !isFailed) await release(deps, turn, result, startedAtMs);
  } catch (error) {
    if (!isFailed) throw error;
  } finally {
    await turn.keeper[Symbol.asyncDispose]();
  }
  return result;
}

async function release(deps: ReaderDeps, turn: Turn, result: TurnResult, startedAtMs: number): Promise<void> {
  if (result.isLeaseLost && result.read === null) return;
  const nowMs = deps.clock.now();
  const tick = { atMs: startedAtMs, durationMs: nowMs - startedAtMs, endedBecause: result.endedBecause };
  const failing = failingSince(turn.before, { ...tick, frames: result.read?.frames ?? 0, endedAtMs: nowMs });
  await deps.store.releaseLease(turn.lease, {
    tick: { ...tick, ...failing },
    nextTickAtMs: nowMs + result.nextInMs,
    ...turn.since,
  });
}

async function noteFailure(deps: ReaderDeps, runId: string, error: unknown): Promise<void> {
  // While a cause lasts, every tick fails by it.
  const kind = `tick: ${error instanceof Error ? error.name : "unknown"}`;
  const message = describeError(error);
  try {
    await deps.store.addError(runId, { atMs: deps.clock.now(), source: "reader", message, kind });
  } catch {
    // The table itself may be what failed; the log line above has it.
  }
}
