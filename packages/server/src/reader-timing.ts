/** The times of a long-lived process. After any crash, a restart continues within 10 s: lease 5 s, visibility 10 s, both renewed. */
import type { ReaderTiming } from "@firehose-backfill/backfill/deps";

const TICK_MS = 60_000;
/** The sample lasts two minutes. With the usual tick all of it would be planned at once: a pause would take effect only at its end, and a faster pace would read all of it again. */
const SAMPLE_TICK_MS = 5_000;

export const LOCAL_LEASE_TTL_MS = 5_000;
export const LOCAL_VISIBILITY = { seconds: 10, everyMs: 4_000 } as const;

export function localReaderTiming(options: { readonly isSample: boolean }): ReaderTiming {
  const tickMs = options.isSample ? SAMPLE_TICK_MS : TICK_MS;
  return {
    tickMs,
    tickBudgetMs: TICK_MS,
    // After the read-ahead was full, the reader connects when a tick of it is free again: few connections, and no batch is planned late.
    leastReadAheadMs: tickMs,
    leaseTtlMs: LOCAL_LEASE_TTL_MS,
    lostAfterMs: 30_000,
    lookAgainMs: 1_000,
  };
}
