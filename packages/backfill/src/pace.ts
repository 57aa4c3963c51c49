/** The rate that a pace allows now. */
import type { Pace } from "@firehose-backfill/checkpoint/pace";
import { effectiveDelayMs, type Pace as Rate } from "@firehose-backfill/throttle/slots";

export function paceOf(pace: Pick<Pace, "throttle" | "backOff">): Rate {
  return {
    batchSize: pace.throttle.batchSize,
    effectiveDelayMs: effectiveDelayMs(pace.throttle, pace.backOff),
  };
}
