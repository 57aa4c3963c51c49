/** Compiles BACKFILL_DIDS to a question that is asked once for each frame, and BACKFILL_COLLECTIONS to one for each operation. */
import type { Filter } from "./types.ts";

/** Answers are kept, so that a collection is compared with the prefixes once. The number is bounded, because hosts can invent collections. */
const MAX_REMEMBERED = 4096;

/**
 * An empty list lets everything pass. A collection is an NSID, or a prefix that ends at a dot: `app.bsky.feed.*`. Markers have no
 * collection, so only the DIDs decide about them.
 */
export function compileFilter(scope: { collections: readonly string[]; dids: readonly string[] }): Filter {
  const dids = new Set(scope.dids);
  return {
    hasDids: dids.size > 0,
    hasCollections: scope.collections.length > 0,
    passesDid: dids.size === 0 ? () => true : (did) => dids.has(did),
    passesCollection: compileCollections(scope.collections),
  };
}

function compileCollections(collections: readonly string[]): (collection: string) => boolean {
  if (collections.length === 0) return () => true;
  const exact = new Set(collections.filter((name) => !name.endsWith(".*")));
  const prefixes = collections.filter((name) => name.endsWith(".*")).map((name) => name.slice(0, -1));
  if (prefixes.length === 0) return (collection) => exact.has(collection);
  const remembered = new Map<string, boolean>();
  return (collection) => {
    const known = remembered.get(collection);
    if (known !== undefined) return known;
    const passes = exact.has(collection) || prefixes.some((prefix) => collection.startsWith(prefix));
    if (remembered.size < MAX_REMEMBERED) remembered.set(collection, passes);
    return passes;
  };
}
