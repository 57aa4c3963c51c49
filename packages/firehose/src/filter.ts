/** BACKFILL_COLLECTIONS and BACKFILL_DIDS as two questions, asked once a frame and once an operation. */
import type { Filter } from "./types.ts";

/** Answers kept, so that a collection is compared with the prefixes once. Hosts can invent collections: bounded. */
const MAX_REMEMBERED = 4096;

/**
 * Empty lists let everything pass. A collection is an NSID, or a prefix at a dot: `app.bsky.feed.*`. Markers have none and
 * respect the DIDs alone.
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
