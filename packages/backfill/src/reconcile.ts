/**
 * What every tick does before it reads. It marks batches that SQS gave up as dead in the ledger and advances the applied
 * cursor. If batches are lost, it has them read again in a new generation. It halves the back-off after a quiet minute,
 * and plans again what the back-off had put far ahead.
 */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Lease } from "@firehose-backfill/checkpoint/window";
import type { QueueFigures } from "@firehose-backfill/queue/types";
import { fallAllowedBefore } from "@firehose-backfill/throttle/back-off";
import type { ReaderDeps } from "./deps.ts";
import { advanceApplied, type Outstanding } from "./advance-applied.ts";
import { READ_AHEAD_TICKS } from "./read-ahead.ts";
import { countedEvents } from "@firehose-backfill/core/proved-range";
import { deadLettered } from "./failure.ts";

const OLDEST_OUTSTANDING_MS = 3 * 24 * 3_600_000;
const DEAD_LETTERS_A_LOOK = 100;

export interface Reconciled {
  readonly run: Run;
  readonly outstanding: Outstanding;
  readonly figures: QueueFigures;
  readonly queueEmptySinceMs: number | null;
}

/** null: the lease is lost. */
export async function reconcile(deps: ReaderDeps, lease: Lease, before: Run): Promise<Reconciled | null> {
  const { store, queue, clock } = deps;
  const figures = await queue.figures();
  if (figures.deadLetters > 0) await markDeadLetters(deps, before);
  const advanced = await advanceApplied(deps, lease, before);
  if (advanced === null) return null;
  let { run } = advanced;
  const { outstanding } = advanced;
  const nowMs = clock.now();

  // Letters do not count: those of this generation have just been marked and are not outstanding any more, and those of another
  // run or generation may lie there for two weeks. One that was not seen, among very many, is read again, which does no harm.
  const isEmpty = figures.ready + figures.inFlight + figures.delayed === 0;
  const queueEmptySinceMs = outstanding.batches > 0 && isEmpty ? (run.queueEmptySinceMs ?? nowMs) : null;
  const lost = whyLost(deps, outstanding, { queueEmptySinceMs, nowMs });
  if (lost !== null) {
    const renewed = await store.newGeneration(run.runId, {
      generationBefore: run.generation,
      cursor: run.appliedCursor,
      nowMs,
    });
    if (renewed === null) return null;
    await store.addError(run.runId, { atMs: nowMs, source: "reader", message: lost });
    deps.log(`[BACKFILL] ${lost}: reading again from the applied cursor`);
    return { run: renewed, outstanding: NOTHING, figures, queueEmptySinceMs: null };
  }

  if (run.waiting !== null && outstanding.batches === 0) run = await stopWaiting(deps, run);

  if (run.backOff > 1 && (await store.halveBackOff(run.paceId, { notAfterMs: fallAllowedBefore(nowMs), nowMs }))) {
    run = (await store.getRun(run.runId)) ?? run;
    deps.log(`[BACKFILL] No trouble for a minute: back-off is ${run.backOff} now`);
    if (sleepsTooLong(deps, run, nowMs)) {
      const renewed = await store.newGeneration(run.runId, {
        generationBefore: run.generation,
        cursor: run.appliedCursor,
        nowMs,
      });
      if (renewed !== null) return { run: renewed, outstanding: NOTHING, figures, queueEmptySinceMs: null };
    }
  }
  return { run, outstanding, figures, queueEmptySinceMs };
}

/**
 * A consumer ends the waiting once it has applied a batch. If nothing is outstanding, no consumer will: the last batch
 * died, was applied already, belonged to another run, or one consumer noted the wait while another applied the batch.
 * The next batch that cannot be applied notes the wait again.
 */
async function stopWaiting(deps: ReaderDeps, run: Run): Promise<Run> {
  await deps.store.setWaiting(run.paceId, null);
  return { ...run, waiting: null };
}

/**
 * While the back-off is high, batches take slots that are far apart: two ticks of events at the run's own pace become half
 * an hour at a sixteenth of it. SQS does not deliver those messages earlier, and nothing is planned before their slots. If
 * they end at most one tick after the read-ahead, the run waits for them; if later, their events are planned again.
 */
function sleepsTooLong(deps: ReaderDeps, run: Run, nowMs: number): boolean {
  return run.status === "running" && run.plannedDueMs - nowMs > (READ_AHEAD_TICKS + 1) * deps.timing.tickMs;
}

const NOTHING: Outstanding = { batches: 0, events: 0, bytes: 0, oldestSentAtMs: null, oldestDueMs: null };

function whyLost(
  deps: ReaderDeps,
  outstanding: Outstanding,
  at: { queueEmptySinceMs: number | null; nowMs: number },
): string | null {
  if (outstanding.batches === 0) return null;
  if (at.queueEmptySinceMs !== null && at.nowMs - at.queueEmptySinceMs >= deps.timing.lostAfterMs)
    return `${outstanding.batches} batches are outstanding, and the queue has been empty for ${seconds(at.nowMs - at.queueEmptySinceMs)} s`;
  if (outstanding.oldestSentAtMs !== null && at.nowMs - outstanding.oldestSentAtMs > OLDEST_OUTSTANDING_MS)
    return `${outstanding.batches} batches are outstanding, the oldest for more than 3 days`;
  return null;
}

async function markDeadLetters(deps: ReaderDeps, run: Run): Promise<void> {
  for (const message of await deps.queue.peekDeadLetters({ max: DEAD_LETTERS_A_LOOK })) {
    if (message.content.kind !== "batch") continue;
    const { key, events } = message.content.batch;
    if (key.runId !== run.runId || key.generation !== run.generation || key.window <= run.appliedWindow) continue;
    await deps.store.finish(key, "dead", deadLettered(countedEvents(events)), {
      nowMs: deps.clock.now(),
      redriven: false,
    });
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
