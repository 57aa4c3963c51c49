/** The facts of a tick on Lambda: once a minute, within the function's time, on a lease that outlasts a killed one. */
import type { ReaderTiming } from "@firehose-backfill/backfill/deps";

const TICK_MS = 60_000;
/** Shorter than a tick: the next one finds the reader free. */
const LONGEST_READING_MS = 50_000;
/** Of the time the function has: the rest is for sends that are slow, the cursor and the release. */
const READING_SHARE = 0.5;
const LEASE_MARGIN_MS = 30_000;

export function deployedReaderTiming(options: { readonly remainingMs: number }): ReaderTiming {
  const { remainingMs } = options;
  return {
    tickMs: TICK_MS,
    tickBudgetMs: Math.min(LONGEST_READING_MS, remainingMs * READING_SHARE),
    // The schedule decides when the next look is. It is a minute away, so the reader connects if any of the read-ahead is free.
    leastReadAheadMs: 0,
    lookAgainMs: TICK_MS,
    leaseTtlMs: remainingMs + LEASE_MARGIN_MS,
    lostAfterMs: 180_000,
  };
}
