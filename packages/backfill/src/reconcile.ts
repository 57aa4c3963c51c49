/**
 * What every tick does for a run before it reads. It marks batches that SQS gave up as dead in the ledger and advances the applied
 * cursor. If batches are lost, it has them read again in a new generation.
 */
import type { Quiet, Run } from "@firehose-backfill/checkpoint/run";
import type { Lease } from "@firehose-backfill/checkpoint/window";
import type { QueueFigures } from "@firehose-backfill/queue/types";
import type { ReaderDeps } from "./deps.ts";
import { advanceApplied, NOTHING_OUTSTANDING, type Outstanding } from "./advance-applied.ts";
import { countedEvents } from "@firehose-backfill/core/proved-range";
import { deadLettered } from "./failure.ts";
import { judgeLoss } from "./lost.ts";
import type { QueueLook } from "./queue-look.ts";

export interface Reconciled {
  readonly run: Run;
  readonly outstanding: Outstanding;
  readonly queueEmptySinceMs: number | null;
  readonly quiet: Quiet | null;
}

/** null: the lease is lost. */
export async function countFinished(
  deps: ReaderDeps,
  lease: Lease,
  before: Run,
  { letters }: QueueLook,
): Promise<{ readonly run: Run; readonly outstanding: Outstanding } | null> {
  await markDeadLetters(deps, before, letters);
  return advanceApplied(deps, lease, before);
}

/** null: the lease is lost. */
export async function readLostAgain(
  deps: ReaderDeps,
  { run, outstanding }: { readonly run: Run; readonly outstanding: Outstanding },
  seen: { readonly figures: QueueFigures; readonly outstandingOfAll: number },
): Promise<Reconciled | null> {
  const { store, clock, timing } = deps;
  const nowMs = clock.now();
  const { lostAfterMs } = timing;
  const { lost, ...since } = judgeLoss(run, outstanding, { ...seen, lostAfterMs, nowMs });
  if (lost === null) return { run, outstanding, ...since };
  const renewed = await store.newGeneration(run.runId, {
    generationBefore: run.generation,
    cursor: run.appliedCursor,
    nowMs,
  });
  if (renewed === null) return null;
  await store.addError(run.runId, { atMs: nowMs, source: "reader", message: lost });
  deps.log(`[BACKFILL] ${lost}: reading again from the applied cursor`);
  return { run: renewed, outstanding: NOTHING_OUTSTANDING, queueEmptySinceMs: null, quiet: null };
}

async function markDeadLetters(deps: ReaderDeps, run: Run, letters: QueueLook["letters"]): Promise<void> {
  for (const message of letters) {
    if (message.content.kind !== "batch") continue;
    const { key, events } = message.content.batch;
    if (key.runId !== run.runId || key.generation !== run.generation || key.window <= run.appliedWindow) continue;
    await deps.store.finish(key, "dead", deadLettered(countedEvents(events)), {
      nowMs: deps.clock.now(),
      redriven: false,
    });
  }
}
