/**
 * The wanted collections as intervals of keys. Keys are compared as whole paths, as the tree has them: `app.bsky.feed.post-x/a` comes before
 * `app.bsky.feed.post/a` there, which is not the order of (collection, rkey).
 */

/** The keys above `from`, up to and with `to`. */
export interface KeyInterval {
  readonly from: string;
  readonly to: string;
}

/** Below and above every key that may stand in a tree. */
const LOWEST = "";
const HIGHEST = "\u007f";

/** All keys of a collection come after this, */
export const collectionStart = (collection: string): string => `${collection}/`;
/** and before this, which is no key itself. */
export const collectionEnd = (collection: string): string => `${collection}0`;

/**
 * Of `app.bsky.feed.post` and `app.bsky.feed.*`, in ascending order, none overlapping another. An empty list means all collections, as it
 * does in a filter.
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
  // The character after the dot is the slash: everything that begins with the prefix comes before it.
  return { from: prefix, to: `${pattern.slice(0, -2)}/` };
}

/** What is left of them above a key. */
export function intervalsAfter(intervals: readonly KeyInterval[], key: string | null): readonly KeyInterval[] {
  if (key === null) return intervals;
  return intervals
    .filter(({ to }) => to > key)
    .map((interval) => (interval.from < key ? { from: key, to: interval.to } : interval));
}

/** Whether a key may be wanted that lies between the two, neither of them included. */
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
  // Ends are no keys, so that "at" does not occur.
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
