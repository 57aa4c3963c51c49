/**
 * One repository as one snapshot of the database has it: a transaction that only reads, short statements, the primary key from left to right. A
 * small repository comes with the statement that opens the transaction; a large one page by page, whatever its size in the same memory.
 */
import type { CopyEntry, PathRange, RepoPicture } from "@firehose-backfill/sink/copy-reader";
import type { Session } from "../connection.ts";
import type { Statement, StatementResult } from "../pipeline.ts";
import { inPathOrder } from "./path-order.ts";

/** Each may lie on a page of its own: so many pages a statement may read. */
export const PAGE_ROWS = 2_000;
const PAGE_COLLECTIONS = 500;
const STATEMENT_TIMEOUT = "30s";
/** While a stranger's host is asked in between: a process that is gone keeps no old rows alive. */
const IDLE_TIMEOUT = "10min";

const REPO = "SELECT rev FROM firehose.repos WHERE did = $1";
const FIRST_PAGE = `
  SELECT collection, rkey, cid, rev FROM firehose.records WHERE did = $1
  ORDER BY collection, rkey LIMIT ${PAGE_ROWS + 1}`;
/** From one collection to the next, one look into the index each. */
const COLLECTIONS = `
  WITH RECURSIVE named (collection, place) AS (
    (SELECT collection, 1 FROM firehose.records WHERE did = $1 AND collection > $2 ORDER BY collection LIMIT 1)
    UNION ALL
    SELECT (SELECT r.collection FROM firehose.records AS r WHERE r.did = $1 AND r.collection > named.collection
      ORDER BY r.collection LIMIT 1), place + 1
    FROM named WHERE named.collection IS NOT NULL AND place < ${PAGE_COLLECTIONS}
  )
  SELECT collection FROM named WHERE collection IS NOT NULL ORDER BY place`;
const ROWS = `
  SELECT rkey, cid, rev FROM firehose.records
  WHERE did = $1 AND collection = $2 AND rkey > $3 AND rkey < $4 ORDER BY rkey LIMIT ${PAGE_ROWS}`;

/** Above every record key: those are ASCII. A row that is none of a repository is found all the same. */
const HIGHEST = "\u{10FFFF}";

/**
 * Sent when the connection is taken. Whatever the statistics of the tables say: rows come in the order of the index, and none
 * are sorted.
 */
export function openingOf(did: string): readonly Statement[] {
  return [
    { sql: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" },
    { sql: `SET LOCAL statement_timeout = '${STATEMENT_TIMEOUT}'` },
    { sql: `SET LOCAL idle_in_transaction_session_timeout = '${IDLE_TIMEOUT}'` },
    ...["seqscan", "bitmapscan", "sort"].map((way) => ({ sql: `SET LOCAL enable_${way} = off` })),
    { sql: REPO, values: [did] },
    { sql: FIRST_PAGE, values: [did] },
  ];
}

/** @param opened what `openingOf` was answered */
export function pictureOf(session: Session, did: string, opened: readonly StatementResult[]): RepoPicture {
  const [repo, first] = opened.slice(-2);
  const firstRows = first?.rows ?? [];
  const whole = firstRows.length <= PAGE_ROWS ? sortedEntries(firstRows) : null;
  return {
    rev: repo?.rows[0]?.[0] ?? null,
    async *entries(between) {
      if (whole === null) yield* pagesOf(session, did, between);
      else {
        const page = whole.filter(({ path }) => path > between.above && path < between.below);
        if (page.length > 0) yield page;
      }
    },
  };
}

function sortedEntries(rows: StatementResult["rows"]): readonly CopyEntry[] {
  const entries = rows.map(([collection, rkey, cid, rev]) => ({
    path: `${collection ?? ""}/${rkey ?? ""}`,
    cid: cid ?? null,
    rev: rev ?? "",
  }));
  return entries.sort((left, right) => (left.path < right.path ? -1 : 1));
}

async function* pagesOf(
  session: Session,
  did: string,
  between: PathRange,
): AsyncGenerator<readonly CopyEntry[], void, undefined> {
  for await (const collection of inPathOrder(collectionsOf(session, did))) {
    const keys = keysWithin(collection, between);
    if (keys === null) continue;
    let { above } = keys;
    for (;;) {
      const [page] = await session.run([{ sql: ROWS, values: [did, collection, above, keys.below] }]);
      const rows = page?.rows ?? [];
      if (rows.length > 0)
        yield rows.map(([rkey, cid, rev]) => ({
          path: `${collection}/${rkey ?? ""}`,
          cid: cid ?? null,
          rev: rev ?? "",
        }));
      if (rows.length < PAGE_ROWS) break;
      above = rows.at(-1)?.[0] ?? HIGHEST;
    }
  }
}

async function* collectionsOf(session: Session, did: string): AsyncGenerator<string, void, undefined> {
  let after = "";
  for (;;) {
    const [page] = await session.run([{ sql: COLLECTIONS, values: [did, after] }]);
    const names = (page?.rows ?? []).map(([name]) => name ?? "");
    yield* names;
    const last = names.at(-1);
    if (last === undefined || names.length < PAGE_COLLECTIONS) return;
    after = last;
  }
}

/** Which record keys of the collection lie between the two paths. null: none can. */
function keysWithin(collection: string, { above, below }: PathRange): PathRange | null {
  const start = `${collection}/`;
  /** Before every path that is after the collection's own. */
  const end = `${collection}0`;
  if (end <= above || start >= below) return null;
  return {
    above: above.startsWith(start) ? above.slice(start.length) : "",
    below: below.startsWith(start) ? below.slice(start.length) : HIGHEST,
  };
}
