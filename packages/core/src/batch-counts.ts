/** Sums over the counts of a batch, for totals and for what is outstanding. */
import type { BatchCounts } from "./batch.ts";

/** Handed to the database: events that were stale, and rows that ranges removed, too. */
export function processedOf({ applied, stale, removed = 0 }: BatchCounts): number {
  return applied + stale + removed;
}

/** For how many events of its window a finished batch counted. */
export function countedOf({ applied, stale, dead, emptyRanges = 0 }: BatchCounts): number {
  return applied + stale + dead + emptyRanges;
}
