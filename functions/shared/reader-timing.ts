/** The times of a tick on Lambda: once a minute, within the function's time, with a lease that lasts longer than a killed tick. */
import type { ReaderTiming } from "@firehose-backfill/backfill/deps";

const TICK_MS = 60_000;
/** Shorter than a tick, so that the next one finds the reader free. */
const LONGEST_READING_MS = 50_000;
/** The share of the function's time for reading; the rest is for slow sends, the cursor and the release. */
const READING_SHARE = 0.5;
const LEASE_MARGIN_MS = 30_000;

export function deployedReaderTiming(options: { readonly remainingMs: number }): ReaderTiming {
  const { remainingMs } = options;
  return {
    tickMs: TICK_MS,
    tickBudgetMs: Math.min(LONGEST_READING_MS, remainingMs * READING_SHARE),
    // The schedule decides when the next tick is. It is a minute away, so the reader connects if any of the read-ahead is free.
    leastReadAheadMs: 0,
    lookAgainMs: TICK_MS,
    leaseTtlMs: remainingMs + LEASE_MARGIN_MS,
    lostAfterMs: 180_000,
  };
}
