/** The memory guard of a consumer: before a batch is taken, and every MEMORY_CHECK_INTERVAL events. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { riseAllowedBefore } from "@firehose-backfill/throttle/back-off";
import type { ConsumerDeps } from "./deps.ts";
import { paceOf } from "./pace.ts";

/** Above the limit, the run backs off, and this process waits or ends, as its deployment decides. It never works above the limit. */
export async function guardMemory(deps: ConsumerDeps, run: Run | null, signal: AbortSignal): Promise<void> {
  if (signal.aborted || !deps.memory.isOverLimit()) return;
  deps.log(`[BACKFILL] Memory: ${deps.memory.usedMb()}MB / ${deps.memory.limitMb()}MB limit: pausing`);
  if (run !== null) {
    const nowMs = deps.clock.now();
    await deps.store.addMemoryPause(run.paceId, nowMs);
    const notAfterMs = riseAllowedBefore(nowMs, paceOf(run).effectiveDelayMs);
    await deps.store.raiseBackOff(run.paceId, { reason: "memory", notAfterMs, nowMs });
  }
  await deps.relieveMemory(signal);
}
