/**
 * What a faster pace does to what is planned already. Nothing wakes a message that SQS delays: it would sleep until its
 * old place, up to two ticks, whatever the run is tuned to. A reader at hand goes back to the applied cursor in a new generation
 * and plans that stretch again; the sleepers are void. What was applied of it already is applied twice, which changes no row.
 * Where the reader comes once a minute that would be a minute of nothing: there the sleepers keep their places for so long.
 */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import type { WindowStore } from "@firehose-backfill/checkpoint/window-store";
import type { Clock } from "@firehose-backfill/core/clock";
import { paceOf } from "./pace.ts";

/** Less than this ahead of us is not worth reading it again. */
const WORTH_WAKING_MS = 5_000;
const MAX_ATTEMPTS = 3;

/** The run after it: in a new generation, or as it was. `before`: as it was when its pace was changed. */
export async function wakePlanned(
  deps: { readonly store: RunStore & WindowStore; readonly clock: Pick<Clock, "now">; readonly readsAtOnce?: boolean },
  before: Run,
  tuned: Run,
): Promise<Run> {
  if (deps.readsAtOnce !== true) return tuned;
  const nowMs = deps.clock.now();
  // While it pauses, what is planned is still applied, each batch at its place.
  if (tuned.status !== "running" || tuned.readerCursor === null) return tuned;
  if (msPerEvent(tuned) >= msPerEvent(before) || before.plannedDueMs - nowMs <= WORTH_WAKING_MS) return tuned;
  let run: Run | null = tuned;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS && run?.status === "running"; attempt += 1) {
    const renewed = await deps.store.newGeneration(run.runId, {
      generationBefore: run.generation,
      cursor: run.appliedCursor,
      nowMs,
    });
    if (renewed !== null) return renewed;
    // The reader folded in between, or somebody else began an generation; then that one has woken them.
    run = await deps.store.getRun(tuned.runId);
    if (run !== null && run.generation !== tuned.generation) return run;
  }
  // It sleeps on its old places: slower for two ticks at most, never faster.
  return run ?? tuned;
}

function msPerEvent(run: Run): number {
  const { batchSize, effectiveDelayMs } = paceOf(run);
  return effectiveDelayMs / batchSize;
}
