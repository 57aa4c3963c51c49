/**
 * Lists repositories: a fixed list, or what hosts answer for collections (listReposByCollection), merged. Both resume at a cursor of less
 * than 2 KB. A host may list too many repositories and miss others: nothing is ever removed because a host does not list it.
 */
import { UsageError } from "@firehose-backfill/core/errors";
import { isDid } from "@firehose-backfill/core/syntax";

export interface RepoPage {
  readonly dids: readonly string[];
  /** Where the next page begins; null: this is the last page. */
  readonly cursor: string | null;
  /** What part of a host's answer was not used, or why the host was skipped. null: no problem. */
  readonly problem: string | null;
}

/** @throws what the request throws; the same cursor may be used again. */
export type ListRepos = (cursor: string | null, signal: AbortSignal) => Promise<RepoPage>;

/** A fixed list, `pageSize` at a time. */
export function listFixed(dids: readonly string[], pageSize: number): ListRepos {
  return async (cursor) => {
    const start = cursor === null ? 0 : Number(cursor);
    const end = start + pageSize;
    return { dids: dids.slice(start, end), cursor: end < dids.length ? String(end) : null, problem: null };
  };
}

export interface CollectionPage {
  readonly dids: readonly unknown[];
  readonly cursor: string | null;
}

/** Asks one host. null: the host does not know the call. @throws HostError and others, which the caller handles */
export type FetchCollectionPage = (
  ask: { readonly origin: string; readonly collection: string; readonly cursor: string | null },
  signal: AbortSignal,
) => Promise<CollectionPage | null>;

export interface CollectionListing {
  readonly origins: readonly string[];
  /** NSIDs; patterns are not possible. */
  readonly collections: readonly string[];
  readonly fetchPage: FetchCollectionPage;
  /** DIDs that are remembered so that each is listed once. Beyond it some may repeat: walking a repository twice changes nothing. */
  readonly maxRemembered: number;
}

interface Place {
  /** Index of the host, and of the collection. */
  readonly origin: number;
  readonly collection: number;
  readonly cursor: string | null;
}

const MAX_CURSOR = 1_024;
const MAX_PAGE = 10_000;

/** Goes through the hosts and, for each, the collections. */
export function listByCollection(listing: CollectionListing): ListRepos {
  const { origins, collections, fetchPage, maxRemembered } = listing;
  const pattern = collections.find((collection) => collection.endsWith("*"));
  if (pattern !== undefined) {
    throw new UsageError(`${pattern}: hosts list repositories by whole collections only; name them, or name the DIDs`);
  }
  const seen = new Set<string>();
  const followed = new Followed();

  return async (cursor, signal) => {
    const place: Place = cursor === null ? { origin: 0, collection: 0, cursor: null } : readPlace(cursor);
    const origin = origins[place.origin];
    const collection = collections[place.collection];
    if (origin === undefined || collection === undefined) return { dids: [], cursor: null, problem: null };
    const page = await fetchPage({ origin, collection, cursor: place.cursor }, signal);
    if (page === null) {
      const next = { origin: place.origin + 1, collection: 0, cursor: null };
      return {
        dids: [],
        cursor: writePlace(next, listing),
        problem: `${origin} does not list repositories by collection`,
      };
    }
    const dids: string[] = [];
    let bad = 0;
    for (const did of page.dids.slice(0, MAX_PAGE)) {
      if (!isDidText(did)) bad += 1;
      else if (!seen.has(did)) {
        if (seen.size < maxRemembered) seen.add(did);
        dids.push(did);
      }
    }
    const isRound = page.cursor !== null && page.cursor.length <= MAX_CURSOR && followed.has(place, page.cursor);
    const problem = problemOf(page, place, { bad, origin, isRound });
    const isEnd = page.cursor === null || problem?.isEnd === true;
    const next = isEnd
      ? nextPlace(place, collections.length)
      : { origin: place.origin, collection: place.collection, cursor: page.cursor };
    return { dids, cursor: writePlace(next, listing), problem: problem?.text ?? null };
  };
}

/** The cursors of one host and collection that were asked for, as far as this list was read: those that go round would be followed for ever. */
class Followed {
  #of = "";
  readonly #asked = new Set<string>();

  /** Whether the next one was asked for before. */
  has({ origin, collection, cursor }: Place, next: string): boolean {
    const of = `${origin} ${collection}`;
    if (of !== this.#of || cursor === null || this.#asked.size >= MAX_FOLLOWED) this.#asked.clear();
    this.#of = of;
    if (cursor !== null) this.#asked.add(cursor);
    return this.#asked.has(next);
  }
}

/** A megabyte of cursors at most. */
const MAX_FOLLOWED = 1_000;

function problemOf(
  page: CollectionPage,
  place: Place,
  { bad, origin, isRound }: { readonly bad: number; readonly origin: string; readonly isRound: boolean },
): { readonly text: string; readonly isEnd: boolean } | null {
  // A cursor that does not change would be followed for ever.
  if (page.cursor !== null && page.cursor === place.cursor)
    return { text: `${origin} gives the same cursor again`, isEnd: true };
  if (isRound) return { text: `${origin} gives a cursor again that it gave before`, isEnd: true };
  if (page.cursor !== null && page.cursor.length > MAX_CURSOR)
    return { text: `${origin} gives a cursor of ${page.cursor.length} characters`, isEnd: true };
  if (page.dids.length > MAX_PAGE)
    return { text: `${origin} gives ${page.dids.length} DIDs at once; ${MAX_PAGE} are taken`, isEnd: false };
  return bad === 0 ? null : { text: `${origin} names ${bad} repositories by what is no DID`, isEnd: false };
}

function nextPlace({ origin, collection }: Place, collections: number): Place {
  return collection + 1 < collections
    ? { origin, collection: collection + 1, cursor: null }
    : { origin: origin + 1, collection: 0, cursor: null };
}

function writePlace({ origin, collection, cursor }: Place, { origins }: CollectionListing): string | null {
  return origin < origins.length ? JSON.stringify([origin, collection, cursor]) : null;
}

function readPlace(text: string): Place {
  const [origin, collection, cursor]: unknown[] = JSON.parse(text);
  if (typeof origin !== "number" || typeof collection !== "number" || (cursor !== null && typeof cursor !== "string")) {
    throw new TypeError(`not a cursor of a listing: ${text}`);
  }
  return { origin, collection, cursor };
}

function isDidText(did: unknown): did is string {
  if (typeof did !== "string") return false;
  const bytes = Buffer.from(did);
  return isDid(bytes, 0, bytes.length);
}
