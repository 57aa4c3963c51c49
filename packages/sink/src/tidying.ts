/**
 * Old tombstones: a deleted record keeps its row, so that an operation that comes late cannot bring it back. Once nothing
 * that old can come any more the rows may go.
 */
import type { Clock } from "@firehose-backfill/core/clock";

/** By event time. Longer than anything may come late: a relay's window, the queue's four days, the dead letters' fourteen. */
export const TOMBSTONE_DAYS = 30;

export interface Tidying {
  /** A piece at a time, so that no batch waits for it. Returns how many went. @throws SinkError */
  removeOldTombstones(options: TidyingOptions): Promise<number>;
}

export interface TidyingOptions {
  readonly clock: Clock;
  /** Only those below this sequence number: the applied cursor of a run that is under way. */
  readonly beforeSeq?: number;
  /** No piece is begun after it. Left out: until all are gone. */
  readonly atMostMs?: number;
  readonly signal?: AbortSignal | undefined;
}
