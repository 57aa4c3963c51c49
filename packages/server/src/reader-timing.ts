/** The facts of a long-lived process. After any crash a restart goes on within 10 s: lease 5 s, visibility 10 s, both renewed. */
import type { ReaderTiming } from "@firehose-backfill/backfill/deps";

const TICK_MS = 60_000;
/** The sample lasts two minutes: planned whole, a pause would show at its end, and a faster tune would read all of it again. Its connections are free. */
const SAMPLE_TICK_MS = 5_000;

export const LOCAL_LEASE_TTL_MS = 5_000;
export const LOCAL_VISIBILITY = { seconds: 10, everyMs: 4_000 } as const;

export function localReaderTiming(options: { readonly isSample: boolean }): ReaderTiming {
  const tickMs = options.isSample ? SAMPLE_TICK_MS : TICK_MS;
  return {
    tickMs,
    tickBudgetMs: TICK_MS,
    // A full horizon is read on when a tick of it is free again: few connections, and never a late plan.
    leastReadAheadMs: tickMs,
    leaseTtlMs: LOCAL_LEASE_TTL_MS,
    lostAfterMs: 30_000,
    lookAgainMs: 1_000,
  };
}
