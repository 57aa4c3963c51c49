/**
 * What a faster pace does to batches that are already planned. SQS delivers a delayed message only when its delay is over,
 * so it would wait until its old slot, up to two ticks, even though the pace is faster now. If the reader can read at once,
 * it goes back to the applied cursor in a new generation and plans those events again; the delayed messages are void. Some
 * events may be applied twice, which changes no row. If the reader runs only once a minute, nothing would be applied until
 * then, so the batches keep their slots.
 */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import type { WindowStore } from "@firehose-backfill/checkpoint/window-store";
import type { Clock } from "@firehose-backfill/core/clock";
import { paceOf } from "./pace.ts";

/** Slots less than this far ahead are not worth reading the events again. */
const WORTH_WAKING_MS = 5_000;
const MAX_ATTEMPTS = 3;

/** The changed run: in a new generation, or unchanged. `before`: the run before its pace was changed. */
export async function wakePlanned(
  deps: { readonly store: RunStore & WindowStore; readonly clock: Pick<Clock, "now">; readonly readsAtOnce?: boolean },
  before: Run,
  tuned: Run,
): Promise<Run> {
  if (deps.readsAtOnce !== true) return tuned;
  const nowMs = deps.clock.now();
  // While it is pausing, planned batches are still applied, each at its slot.
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
    // The reader advanced the applied cursor in between, or another process began a generation and planned these events again.
    run = await deps.store.getRun(tuned.runId);
    if (run !== null && run.generation !== tuned.generation) return run;
  }
  // The batches keep their old slots: the run is slower for two ticks at most, never faster.
  return run ?? tuned;
}

function msPerEvent(run: Run): number {
  const { batchSize, effectiveDelayMs } = paceOf(run);
  return effectiveDelayMs / batchSize;
}
