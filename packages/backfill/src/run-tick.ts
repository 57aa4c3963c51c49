/**
 * One tick of the reader, for all open runs: take their leases, reconcile, keep the pace, take the next status, read windows, release
 * the leases. The same on AWS (once a minute) and in a long-lived process (as soon as `nextInMs` says). Without an open run it
 * costs one read. Runs of one pace read at the same time and share its read-ahead.
 */
import { isResyncRun, type NewRun, type Run } from "@firehose-backfill/checkpoint/run";
import { describeError } from "@firehose-backfill/core/errors";
import { createMissing, createRuns } from "./create-runs.ts";
import type { ReaderDeps } from "./deps.ts";
import { keepPace } from "./keep-pace.ts";
import { takeNextStatus } from "./next-status.ts";
import { lookOnce } from "./queue-look.ts";
import { freeReadAheadMs } from "./read-ahead.ts";
import { createShares, type SharedReader } from "./read-ahead-shares.ts";
import { type ReadReport, readWindows } from "./read-windows.ts";
import { countFinished, readLostAgain } from "./reconcile.ts";
import { endServed } from "./serve-resyncs.ts";
import { beginTurn, endTurn, isTurn, nothing, step, type Turn, type TurnResult } from "./turn.ts";
import type { Outstanding } from "./advance-applied.ts";
import { kitFor } from "@firehose-backfill/source/kit";

export interface TickOptions {
  /** Ends the tick early: the current window is still sent and stored. */
  readonly signal: AbortSignal;
  /** The runs to begin if no run has ever existed: one, or two with BACKFILL_SOURCE=both; empty or null: begin none. Called only then. */
  readonly firstRuns: (() => readonly NewRun[]) | null;
}

export interface Tick {
  /** One for each open run, in the order in which they began. */
  readonly runs: readonly TurnResult[];
  /** When a long-lived process should tick again. */
  readonly nextInMs: number;
}

/** @throws what the part of a run failed with, where the parts of all runs failed */
export async function runTick(deps: ReaderDeps, options: TickOptions): Promise<Tick> {
  const startedAtMs = deps.clock.now();
  const open = await withResyncs(deps, await openRuns(deps, options));
  if (open.length === 0) return { runs: [], nextInMs: deps.timing.tickMs };
  const begun = await Promise.all(open.map((run) => beginTurn(deps, run, options.signal)));
  const turns = begun.filter(isTurn);
  let runs: readonly TurnResult[];
  try {
    const ready = await reconcileAll(deps, turns);
    await readAll(deps, await keepPaces(deps, ready), startedAtMs + deps.timing.tickBudgetMs);
  } finally {
    runs = await Promise.all(
      begun.map((each) => (isTurn(each) ? endTurn(deps, each, startedAtMs) : Promise.resolve(each))),
    );
  }
  for (const { run } of runs) if (isResyncRun(run) && run.status === "succeeded") await endServed(deps, run);
  const failures = runs.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  if (failures.length === runs.length) throw failures[0]?.error;
  return { runs, nextInMs: Math.min(...runs.map((result) => result.nextInMs)) };
}

async function openRuns(deps: ReaderDeps, options: TickOptions): Promise<readonly Run[]> {
  const open = await deps.store.openRuns();
  if (options.firstRuns === null) return open;
  if (open.length > 0) return [...open, ...(await createMissing(deps, open, options.firstRuns))];
  // Only where no run has ever existed: one that is finished is not begun again by the schedule.
  if ((await deps.store.currentRun()) !== null) return [];
  const first = options.firstRuns();
  if (first.length === 0) return [];
  const { run, beside } = await createRuns(deps, first);
  if (beside.note !== "") deps.log(`[BACKFILL] Run ${run.runId} is ${run.status}${beside.note}`);
  return [run, ...beside.runs];
}

/** With the run that serves requests, where one begins now. */
async function withResyncs(deps: ReaderDeps, open: readonly Run[]): Promise<readonly Run[]> {
  try {
    const begun = (await deps.resyncs?.look(deps, open)) ?? null;
    return begun === null ? open : [...open, begun];
  } catch (error) {
    // The runs go on without it, and the next look comes soon.
    deps.log(`[BACKFILL] Requests for resyncs could not be served now: ${describeError(error)}`);
    return open;
  }
}

/** A turn that goes on, with its run as it is now. */
interface Ready {
  readonly turn: Turn;
  readonly run: Run;
  readonly outstanding: Outstanding;
}

async function reconcileAll(deps: ReaderDeps, turns: readonly Turn[]): Promise<readonly Ready[]> {
  const look = lookOnce(deps);
  const isLost = (turn: Turn) => {
    turn.result = { ...nothing(turn.before, "lease lost", deps.timing.lookAgainMs), isLeaseLost: true };
  };
  const counted = await eachInTurn(deps, turns, async (turn) => {
    const found = await countFinished(deps, turn.lease, turn.before, await look());
    if (found === null) isLost(turn);
    return found;
  });
  const known =
    turns.length === counted.length ? counted.reduce((sum, { outstanding }) => sum + outstanding.batches, 0) : Infinity;
  const ready = await eachInTurn(
    deps,
    counted.map(({ turn }) => turn),
    async (turn) => {
      const its = counted.find((each) => each.turn === turn);
      if (its === undefined) return null;
      const { figures } = await look();
      const found = await readLostAgain(deps, its, { figures, outstandingOfAll: known });
      if (found === null) isLost(turn);
      else turn.since = { queueEmptySinceMs: found.queueEmptySinceMs, quiet: found.quiet };
      return found;
    },
  );
  return ready;
}

/** For each turn that goes on, at the same time; those that came to something. */
async function eachInTurn<T extends object>(
  deps: ReaderDeps,
  turns: readonly Turn[],
  work: (turn: Turn) => Promise<T | null>,
): Promise<(T & { readonly turn: Turn })[]> {
  const found = await Promise.all(
    turns.map(async (turn) => {
      let result: T | null = null;
      await step(deps, turn, async () => {
        result = await work(turn);
      });
      return result === null ? [] : [{ ...(result as T), turn }];
    }),
  );
  return found.flat();
}

async function keepPaces(deps: ReaderDeps, ready: readonly Ready[]): Promise<readonly Ready[]> {
  const kept: Ready[] = [];
  for (const group of Map.groupBy(ready, ({ run }) => run.paceId).values()) {
    let runs: readonly { readonly run: Run; readonly outstanding: Outstanding }[] = group;
    const [first, ...others] = group;
    if (first === undefined) continue;
    await step(deps, first.turn, async () => {
      runs = await keepPace(deps, group);
    });
    // Without it the others would plan by a pace that nobody has looked at.
    const failed = first.turn.result;
    if (failed !== null) for (const { turn, run } of others) turn.result = { ...failed, run };
    kept.push(...group.map((each, index) => ({ ...each, ...runs[index] })));
  }
  return kept.filter(({ turn }) => turn.result === null);
}

async function readAll(deps: ReaderDeps, ready: readonly Ready[], deadlineMs: number): Promise<void> {
  const shares = new Map(ready.map(({ run }) => [run.paceId, createShares(deps.clock)]));
  const readers = await eachInTurn(
    deps,
    ready.map(({ turn }) => turn),
    async (turn) => {
      const its = ready.find((each) => each.turn === turn);
      return its === undefined ? null : mayRead(deps, its);
    },
  );
  // All of them join before the first one asks.
  const joined = readers.map((each) => {
    const { isLasting, outstanding } = each;
    return { ...each, shared: shares.get(each.run.paceId)?.join(each.run, { isLasting, outstanding }) };
  });
  await Promise.all(
    joined.map(({ shared, ...each }) =>
      step(deps, each.turn, async () => {
        if (shared !== undefined) each.turn.result = await read(deps, each, shared, deadlineMs);
      }),
    ),
  );
}

/** null, and the turn has its result: it does not read. */
async function mayRead(
  deps: ReaderDeps,
  { turn, ...from }: Ready,
): Promise<(Omit<Ready, "turn"> & { readonly isLasting: boolean }) | null> {
  const { run, readsNot } = await takeNextStatus(deps, from.run, from.outstanding);
  const { outstanding } = from;
  const because = readsNot ?? (deps.memory.isOverLimit() ? "memory" : null);
  const { isLasting = false } = kitFor(deps.sources, run.source.kind);
  if (because === null) return { run, outstanding, isLasting };
  turn.result = { ...nothing(run, because, deps.timing.lookAgainMs), outstanding };
  return null;
}

async function read(
  deps: ReaderDeps,
  { turn, run, outstanding }: Ready,
  shared: SharedReader,
  deadlineMs: number,
): Promise<TurnResult> {
  try {
    const report = await readWindows(
      deps,
      turn.lease,
      { run, outstanding, shared },
      { signal: turn.keeper.signal, deadlineMs },
    );
    return {
      run: report.run,
      endedBecause: report.endedBecause,
      nextInMs: nextInMs(deps, report),
      read: report,
      outstanding: report.outstanding,
      isLeaseLost: report.isLeaseLost,
    };
  } finally {
    shared.leave();
  }
}

/** When the read-ahead is full: the time until enough of it is free for another read, but never later than the next look. */
function nextInMs(deps: ReaderDeps, report: ReadReport): number {
  const { timing, clock } = deps;
  // The time of the tick ended before the work did: the next tick begins at once.
  if (report.endedBecause === "time") return 0;
  if (report.endedBecause !== "read-ahead full") return timing.lookAgainMs;
  const free = freeReadAheadMs({
    run: report.run,
    outstanding: report.outstanding,
    nowMs: clock.now(),
    tickMs: timing.tickMs,
    recentRate: 0,
  });
  return Math.min(timing.lookAgainMs, Math.max(0, timing.leastReadAheadMs - free));
}
