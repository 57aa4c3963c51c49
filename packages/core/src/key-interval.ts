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

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
