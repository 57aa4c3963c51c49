/**
 * The wanted collections as intervals of keys. Keys are compared as whole paths, as in the tree: there, `app.bsky.feed.post-x/a` comes before
 * `app.bsky.feed.post/a`, which is not the order of (collection, rkey).
 */

/** The keys above `from`, up to and including `to`. */
export interface KeyInterval {
  readonly from: string;
  readonly to: string;
}

/** These are below and above every possible key. */
const LOWEST = "";
const HIGHEST = "\u007f";

/** All keys of a collection are above this text. */
export const collectionStart = (collection: string): string => `${collection}/`;
/** All keys of a collection are below this text, which is not a key. */
export const collectionEnd = (collection: string): string => `${collection}0`;

/**
 * Takes names such as `app.bsky.feed.post` and `app.bsky.feed.*`; the intervals ascend and do not overlap. An empty list means all
 * collections, as in a filter.
 */
export function wantedIntervals(collections: readonly string[]): readonly KeyInterval[] {
  if (collections.length === 0) return [{ from: LOWEST, to: HIGHEST }];
  const sorted = collections.map(intervalOf).sort((left, right) => compare(left.from, right.from));
  const intervals: KeyInterval[] = [];
  for (const interval of sorted) {
    const last = intervals.at(-1);
    if (last !== undefined && interval.from < last.to) {
      intervals[intervals.length - 1] = { from: last.from, to: last.to > interval.to ? last.to : interval.to };
    } else intervals.push(interval);
  }
  return intervals;
}

function intervalOf(pattern: string): KeyInterval {
  if (!pattern.endsWith(".*")) return { from: collectionStart(pattern), to: collectionEnd(pattern) };
  const prefix = pattern.slice(0, -1);
  // The slash is the character after the dot, so everything that begins with the prefix comes before it.
  return { from: prefix, to: `${pattern.slice(0, -2)}/` };
}

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

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
