/** Which wanted keys are above a key, between two others, or at all. The intervals ascend and do not overlap, as wantedIntervals() gives them. */
import type { KeyInterval } from "@firehose-backfill/core/key-interval";

/** The parts of the intervals that are above a key. */
export function intervalsAfter(intervals: readonly KeyInterval[], key: string | null): readonly KeyInterval[] {
  if (key === null) return intervals;
  return intervals
    .filter(({ to }) => to > key)
    .map((interval) => (interval.from < key ? { from: key, to: interval.to } : interval));
}

/** Whether a wanted key may lie between the two, both excluded. */
export function meetsBetween(intervals: readonly KeyInterval[], above: string, below: string): boolean {
  const interval = intervals[firstEndingAfter(intervals, above)];
  return interval !== undefined && interval.from < below;
}

/** Whether every key is wanted that lies between the two, neither of them included. */
export function coversBetween(intervals: readonly KeyInterval[], above: string, below: string): boolean {
  const interval = intervals[firstEndingAfter(intervals, above)];
  return interval !== undefined && interval.from <= above && below <= interval.to;
}

export function isWanted(intervals: readonly KeyInterval[], key: string): boolean {
  // The ends of intervals are not keys, so the result "at" cannot occur.
  const interval = intervals[firstEndingAfter(intervals, key)];
  return interval !== undefined && interval.from < key;
}

/** Index of the first one that ends above the key. */
function firstEndingAfter(intervals: readonly KeyInterval[], key: string): number {
  let low = 0;
  let high = intervals.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((intervals[middle]?.to ?? "") > key) high = middle;
    else low = middle + 1;
  }
  return low;
}
