/**
 * Removes old tombstones while no run is open: those that are older than everything that may still come. Its work is
 * bounded; the rest is removed the next time, or by `doctor --fix`.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import { describeError } from "@firehose-backfill/core/errors";
import { type Tidying, TOMBSTONE_DAYS } from "@firehose-backfill/sink/tidying";

export interface TidyUpOptions {
  readonly tidying: Tidying;
  /** Batches that a redrive may bring back; their contents are not known. */
  readonly deadLetters: () => Promise<number>;
  readonly atMostMs: number;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Never rejects: after a failure, the next call tries again. */
export async function tidyUp({ tidying, deadLetters, log, ...options }: TidyUpOptions): Promise<void> {
  try {
    if ((await deadLetters()) > 0) return;
    const removed = await tidying.removeOldTombstones(options);
    if (removed > 0) log(`[BACKFILL] ${removed} tombstones older than ${TOMBSTONE_DAYS} days are removed`);
  } catch (error) {
    log(`[BACKFILL] Old tombstones stay for now: ${describeError(error)}`);
  }
}
