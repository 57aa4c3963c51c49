/**
 * The SQL that writes records: of a stream, and of what repositories proved. A record is news if its revision is newer than that of its row,
 * than a deletion of its account, and than what a range of its repository has told.
 */
import { tidTimeMs } from "@firehose-backfill/core/tid";
import type { RecordRow } from "@firehose-backfill/sink/rows";
import { inTwoForms, type ListedRow } from "./row-lists.ts";

const RECORD_COLUMNS = {
  did: "text",
  collection: "text",
  rkey: "text",
  cid: "text",
  rev: "text",
  seq: "bigint",
  record: "text",
  time: "bigint",
} as const;

const { seq: _, ...COLUMNS_WITHOUT_SEQ } = RECORD_COLUMNS;
const PROVED_COLUMNS = { ...COLUMNS_WITHOUT_SEQ, at: "double precision" } as const;

/** Event time: whole milliseconds since the epoch. What is not valid is the row's own error. */
const AT = "to_timestamp(x.time / 1000.0)";

/** Whether an operation is from before a deletion of its account: on the deletion's own host by number, else by time. */
const IS_PURGED = `
  CASE WHEN p.purge_marks IS NULL THEN (${AT}, x.seq) < (p.purged_at, p.purged_seq)
  ELSE EXISTS (
    SELECT FROM jsonb_each(p.purge_marks) AS w
    WHERE CASE WHEN w.key = $1::integer::text THEN x.seq < (w.value ->> 'seq')::bigint
      ELSE x.time < (w.value ->> 'at')::bigint END) END`;

/** The same for what a repository proved: it is as old as its revision. */
const IS_PROVED_PURGED = `
  CASE WHEN p.purge_marks IS NULL THEN to_timestamp(x.at / 1000.0) < p.purged_at
  ELSE EXISTS (SELECT FROM jsonb_each(p.purge_marks) AS w WHERE x.at < (w.value ->> 'at')::bigint) END`;

/** As repos/src/walk/key-time.ts has it. */
export const TID = "'^[234567a-j][234567a-z]{12}$'";

/** Whether a range of the repository has told already what was there at that revision, or later. */
function isProved(operator: "<" | "<="): string {
  return `p.proved IS NOT NULL AND EXISTS (
    SELECT FROM jsonb_array_elements(p.proved) AS w
    WHERE (x.collection || '/' || x.rkey) COLLATE "C" > w.value ->> 0
      AND (x.collection || '/' || x.rkey) COLLATE "C" <= w.value ->> 1
      AND x.rev COLLATE "C" ${operator} w.value ->> 2
      AND NOT coalesce(x.rkey COLLATE "C" < w.value ->> 3 AND x.rkey ~ ${TID}, false))`;
}

function isStale(isPurged: string, operator: "<" | "<="): string {
  return `coalesce((
    SELECT coalesce(${isPurged}, false) OR (${isProved(operator)}) FROM firehose.repos AS p WHERE p.did = x.did), false)`;
}

/**
 * A subquery and not a join, for the same reason: one look into the index a row, however small the table is. `xid` is by
 * default this transaction's, also in \`excluded\`: the change feed finds the row by it.
 */
export const RECORDS = inTwoForms(
  RECORD_COLUMNS,
  2,
  (x) => `
  INSERT INTO firehose.records AS r (did, collection, rkey, cid, rev, seq, record, indexed_at, host)
  SELECT x.did, x.collection, x.rkey, x.cid, x.rev, x.seq, x.record::jsonb, ${AT}, $1::integer
  FROM ${x}
  WHERE NOT ${isStale(IS_PURGED, "<=")}
  ORDER BY x.did COLLATE "C", x.collection COLLATE "C", x.rkey COLLATE "C"
  ON CONFLICT (did, collection, rkey) DO UPDATE
  SET cid = excluded.cid, rev = excluded.rev, seq = excluded.seq, record = excluded.record,
      indexed_at = excluded.indexed_at, host = excluded.host, xid = excluded.xid
  WHERE (excluded.rev, coalesce(excluded.cid, '') COLLATE "C") > (r.rev, coalesce(r.cid, '') COLLATE "C")`,
);

/**
 * Records that repositories proved. One of the same revision and CID is left as it is, whoever wrote it; of another CID the
 * repository is right.
 */
export const PROVED_RECORDS = inTwoForms(
  PROVED_COLUMNS,
  1,
  (x) => `
  INSERT INTO firehose.records AS r (did, collection, rkey, cid, rev, record, indexed_at)
  SELECT x.did, x.collection, x.rkey, x.cid, x.rev, x.record::jsonb, ${AT}
  FROM ${x}
  WHERE NOT ${isStale(IS_PROVED_PURGED, "<")}
  ORDER BY x.did COLLATE "C", x.collection COLLATE "C", x.rkey COLLATE "C"
  ON CONFLICT (did, collection, rkey) DO UPDATE
  SET cid = excluded.cid, rev = excluded.rev, seq = NULL, record = excluded.record, indexed_at = excluded.indexed_at,
      host = NULL, xid = excluded.xid
  WHERE excluded.rev > r.rev OR (excluded.rev = r.rev AND excluded.cid IS DISTINCT FROM r.cid)`,
);

/** A record stays a text within the JSON text: spliced in, it could end its row and begin another. */
export function recordInput({ did, collection, rkey, cid, rev, seq, json, timeMs }: RecordRow): ListedRow {
  return { did, collection, rkey, cid, rev, seq, record: json, time: timeMs };
}

export function provedInput({ did, collection, rkey, cid, rev, json, timeMs }: RecordRow): ListedRow {
  return { did, collection, rkey, cid, rev, record: json, time: Math.trunc(timeMs), at: tidTimeMs(rev) };
}
