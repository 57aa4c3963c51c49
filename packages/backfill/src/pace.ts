/** The pace of a run, as its item says it. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { effectiveDelayMs, type Pace } from "@firehose-backfill/throttle/places";

export function paceOf(run: Pick<Run, "throttle" | "backOff">): Pace {
  return {
    batchSize: run.throttle.batchSize,
    effectiveDelayMs: effectiveDelayMs(run.throttle, run.backOff),
  };
}
