/**
 * Removes old tombstones. A deleted record keeps its row, so that a late operation cannot bring it back. When no operation
 * of that age can come any more, the row can be removed.
 */
import type { Clock } from "@firehose-backfill/core/clock";

/** By event time. Longer than any operation can be late: a relay's window, the queue's four days, the dead letters' fourteen. */
export const TOMBSTONE_DAYS = 30;

export interface Tidying {
  /** Removes them in chunks, so that no batch waits for it. Returns how many were removed. @throws SinkError */
  removeOldTombstones(options: TidyingOptions): Promise<number>;
}

export interface TidyingOptions {
  readonly clock: Clock;
  /** Only those below this sequence number: the applied cursor of an unfinished run. */
  readonly beforeSeq?: number;
  /** No chunk is begun after it. Absent: until all are removed. */
  readonly atMostMs?: number;
  readonly signal?: AbortSignal | undefined;
}
