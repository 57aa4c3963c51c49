/**
 * The SQL for ranges of repositories. Keys are compared as `collection/rkey`. That differs from the order of the two columns:
 * `a.b-c/x` comes before `a.b/x`. So rows are searched in each collection separately, between two record keys, with the primary
 * key of the table.
 */
import type { RangeRow } from "@firehose-backfill/sink/rows";
import type { Statement } from "./pipeline.ts";
import type { ProvedKeys } from "./proved-keys.ts";
import { TID } from "./record-statements.ts";

/** Above every record key: those are ASCII. A row that somebody has added with another key is found all the same, as an audit finds it. */
const ABOVE_ALL_KEYS = "\u{10FFFF}";

/** $2 is the collection. */
const ONE_COLLECTION = `(SELECT $2::text COLLATE "C" AS name) AS c`;

/** The collections that have rows. Each is found with one index lookup. */
const ALL_COLLECTIONS = `(
  WITH RECURSIVE names AS (
    SELECT min(collection) AS name FROM firehose.records WHERE did = $1 AND $2::text IS NULL
    UNION ALL
    SELECT (SELECT min(collection) FROM firehose.records WHERE did = $1 AND collection > names.name)
    FROM names WHERE names.name IS NOT NULL
  )
  SELECT name FROM names
  WHERE name IS NOT NULL AND (name || '0') COLLATE "C" > $3::text AND (name || '/') COLLATE "C" < $4::text
) AS c`;

/**
 * Rows of the repository $1 with keys above $3, up to and including $4; $5 is the revision. `end` limits the search to one
 * collection. Without it the planner would choose a join and read all rows of the repository.
 */
function rowsBetween(collections: string, what: string, condition: string, end: string): string {
  return `
    SELECT ${what} FROM ${collections}, LATERAL (
      SELECT r.collection, r.rkey, r.cid, r.seq, r.host FROM firehose.records AS r
      WHERE r.did = $1 AND r.collection = c.name
        AND r.rkey > (CASE WHEN starts_with($3::text, c.name || '/') THEN substr($3, length(c.name) + 2) ELSE '' END)
          COLLATE "C"
        AND r.rkey <= (CASE WHEN starts_with($4::text, c.name || '/') THEN substr($4, length(c.name) + 2)
          ELSE '${ABOVE_ALL_KEYS}' END) COLLATE "C"
        AND ${condition}
      ${end}
    ) AS it`;
}

/** A row of the same revision is wrong, whoever wrote it: everything of that revision is in the tree. */
const IS_ABSENT = `r.cid IS NOT NULL AND r.rev <= $5
  AND NOT coalesce(r.rkey < $6::text COLLATE "C" AND r.rkey ~ ${TID}, false)
  AND (r.collection || '/' || r.rkey) NOT IN (SELECT value FROM json_array_elements_text($7::json))`;

const ABSENT_ROWS = (collections: string) => `
  ${rowsBetween(collections, "it.collection, it.rkey", IS_ABSENT, "ORDER BY r.rkey LIMIT $8::bigint")}
  ORDER BY (it.collection || '/' || it.rkey) COLLATE "C" LIMIT $8::bigint`;

/** Counts the rows at that revision: those that this run removed ($6 is its number), and the records. */
const STANDING = (collections: string) =>
  rowsBetween(
    collections,
    `count(*) FILTER (WHERE it.cid IS NULL AND it.seq IS NULL AND it.host = $6::integer),
     count(*) FILTER (WHERE it.cid IS NOT NULL
       AND (it.collection || '/' || it.rkey) IN (SELECT value FROM json_array_elements_text($7::json)))`,
    "r.rev = $5",
    "OFFSET 0",
  );

const REMOVE = `
  INSERT INTO firehose.records AS r (did, collection, rkey, rev, indexed_at, host)
  SELECT x.did, x.collection, x.rkey, x.rev, to_timestamp(x.time / 1000.0), $2::integer
  FROM json_to_recordset($1::json) AS x(did text, collection text, rkey text, rev text, time bigint)
  ORDER BY x.did COLLATE "C", x.collection COLLATE "C", x.rkey COLLATE "C"
  ON CONFLICT (did, collection, rkey) DO UPDATE
  SET cid = NULL, record = NULL, rev = excluded.rev, seq = NULL, indexed_at = excluded.indexed_at, host = excluded.host,
      xid = excluded.xid
  WHERE excluded.rev > r.rev OR (excluded.rev = r.rev AND r.cid IS NOT NULL)`;

export interface FoundRow {
  readonly collection: string;
  readonly rkey: string;
}

/** What is proved of each repository: `did, proved`. */
export function provedStatement(dids: readonly string[]): Statement {
  return {
    sql: `SELECT p.did, p.proved FROM json_array_elements_text($1::json) AS x(did), LATERAL (
      SELECT did, proved FROM firehose.repos WHERE did = x.did OFFSET 0) AS p`,
    values: [JSON.stringify(dids)],
  };
}

/** The rows above `from` that the range proves absent: `collection, rkey`. */
export function absentStatement(range: RangeRow, from: string, limit: number): Statement {
  const { did, collection, to, rev, sinceTid, keys } = range;
  return {
    sql: ABSENT_ROWS(collection === null ? ALL_COLLECTIONS : ONE_COLLECTION),
    values: [did, collection, from, to, rev, sinceTid, JSON.stringify(keys), String(limit)],
  };
}

/** Returns `removed, held`. */
export function standingStatement(range: RangeRow, runNumber: number): Statement {
  const { did, collection, from, to, rev, keys } = range;
  return {
    sql: STANDING(collection === null ? ALL_COLLECTIONS : ONE_COLLECTION),
    values: [did, collection, from, to, rev, String(runNumber), JSON.stringify(keys)],
  };
}

/** The rows must exist, and their repositories must be locked. */
export function removeStatement(
  rows: readonly (FoundRow & { readonly range: RangeRow })[],
  runNumber: number,
): Statement {
  const input = rows.map(({ collection, rkey, range: { did, rev, timeMs } }) => ({
    did,
    collection,
    rkey,
    rev,
    time: Math.trunc(timeMs),
  }));
  return { sql: REMOVE, values: [JSON.stringify(input), String(runNumber)] };
}

export function keepProvedStatement(did: string, proved: readonly ProvedKeys[]): Statement {
  return {
    sql: "UPDATE firehose.repos SET proved = $2::jsonb, updated_at = now() WHERE did = $1",
    values: [did, JSON.stringify(proved.map(({ from, to, rev, sinceTid }) => [from, to, rev, sinceTid]))],
  };
}

/** Parses what keepProvedStatement() wrote. */
export function readProved(stored: string | null): readonly ProvedKeys[] {
  const stretches: readonly (readonly [string, string, string, string | null])[] = JSON.parse(stored ?? "[]");
  return stretches.map(([from, to, rev, sinceTid]) => ({ from, to, rev, sinceTid }));
}
