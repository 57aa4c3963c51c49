/**
 * What every tick does for a pace, once for all of its runs: it ends a wait that no consumer will end, halves the back-off after
 * a quiet minute and plans again what the back-off had put far ahead, follows the deployment's settings, and keeps the off-peak pace.
 */
import { isSideRun, type Run } from "@firehose-backfill/checkpoint/run";
import { fallAllowedBefore } from "@firehose-backfill/throttle/back-off";
import { NOTHING_OUTSTANDING, type Outstanding } from "./advance-applied.ts";
import type { ReaderDeps } from "./deps.ts";
import { followSettings } from "./follow-settings.ts";
import { keepOffPeak } from "./off-peak.ts";
import { READ_AHEAD_TICKS } from "./read-ahead.ts";

export interface PacedRun {
  readonly run: Run;
  readonly outstanding: Outstanding;
}

/** The runs of one pace, in the same order, after it. At least one. */
export async function keepPace(deps: ReaderDeps, before: readonly PacedRun[]): Promise<readonly PacedRun[]> {
  // What one of them has changed of the pace while it looked for losses is not known to the others yet.
  let runs = before.length === 1 ? before : await readAgain(deps, before);
  if (isOverWaiting(runs)) runs = await stopWaiting(deps, runs);
  runs = await lowerBackOff(deps, runs);
  // The deployment's filters are those of the run that was configured, and of no resync or run of handles.
  const own = runs.filter(({ run }) => !isSideRun(run));
  const first = [...own, ...runs].find(({ run }) => isWorking(run)) ?? runs[0];
  if (first === undefined) return runs;
  const isOnly = own.length === 1 && own[0] === first;
  const followed =
    deps.deployed === undefined ? first.run : await followSettings(deps, first.run, deps.deployed, { isOnly });
  const run = await keepOffPeak(deps, followed);
  if (run === first.run) return runs;
  return runs.map((each) => ({ ...each, run: each === first ? run : withPaceOf(each.run, run) }));
}

/** One run with the pace of another one, as that has been read later. */
function withPaceOf(
  run: Run,
  { throttle, profile, offPeak, seen, tunes, plannedDueMs, paceVersion, backOff }: Run,
): Run {
  return { ...run, throttle, profile, offPeak, seen, tunes, plannedDueMs, paceVersion, backOff };
}

async function readAgain(deps: ReaderDeps, runs: readonly PacedRun[]): Promise<readonly PacedRun[]> {
  const open = new Map((await deps.store.openRuns()).map((run) => [run.runId, run]));
  return runs.map((each) => ({ ...each, run: open.get(each.run.runId) ?? each.run }));
}

/**
 * A consumer ends the waiting once it has applied a batch. If nothing is outstanding, no consumer will: the last batch
 * died, was applied already, belonged to another run, or one consumer noted the wait while another applied the batch.
 * The next batch that cannot be applied notes the wait again. The batches of a run that is held (`pause --now`, errored) end no wait.
 */
function isOverWaiting(runs: readonly PacedRun[]): boolean {
  if (runs.every(({ run }) => run.waiting === null)) return false;
  return runs.every(({ run, outstanding }) => outstanding.batches === 0 || (runs.length > 1 && run.pausedNow));
}

async function stopWaiting(deps: ReaderDeps, runs: readonly PacedRun[]): Promise<readonly PacedRun[]> {
  const [first] = runs;
  if (first !== undefined) await deps.store.setWaiting(first.run.paceId, null);
  return runs.map((each) => ({ ...each, run: { ...each.run, waiting: null } }));
}

async function lowerBackOff(deps: ReaderDeps, runs: readonly PacedRun[]): Promise<readonly PacedRun[]> {
  const { store, clock } = deps;
  const nowMs = clock.now();
  const [first] = runs;
  if (first === undefined || first.run.backOff <= 1) return runs;
  if (!(await store.halveBackOff(first.run.paceId, { notAfterMs: fallAllowedBefore(nowMs), nowMs }))) return runs;
  const lower: PacedRun[] = [];
  for (const each of runs) lower.push({ ...each, run: (await store.getRun(each.run.runId)) ?? each.run });
  deps.log(`[BACKFILL] No trouble for a minute: back-off is ${lower[0]?.run.backOff ?? 1} now`);
  const planned = [];
  for (const each of lower)
    planned.push(sleepsTooLong(deps, each.run, nowMs) ? await planAgain(deps, each, nowMs) : each);
  return planned;
}

/**
 * While the back-off is high, batches take slots that are far apart: two ticks of events at the run's own pace become half
 * an hour at a sixteenth of it. SQS does not deliver those messages earlier, and nothing is planned before their slots. If
 * they end at most one tick after the read-ahead, the run waits for them; if later, their events are planned again.
 */
function sleepsTooLong(deps: ReaderDeps, run: Run, nowMs: number): boolean {
  return run.status === "running" && run.plannedDueMs - nowMs > (READ_AHEAD_TICKS + 1) * deps.timing.tickMs;
}

async function planAgain(deps: ReaderDeps, each: PacedRun, nowMs: number): Promise<PacedRun> {
  const { runId, generation, appliedCursor } = each.run;
  const renewed = await deps.store.newGeneration(runId, { generationBefore: generation, cursor: appliedCursor, nowMs });
  return renewed === null ? each : { run: renewed, outstanding: NOTHING_OUTSTANDING };
}

function isWorking({ status }: Run): boolean {
  return status === "enqueued" || status === "running" || status === "pausing";
}
