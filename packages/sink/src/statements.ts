/**
 * The SQL of a batch. Each statement takes its rows as one JSON text and says itself which of them are news, so that
 * batches may come twice, late, or in any order: records by `rev` (then by CID, for a commit that names a path twice),
 * markers by (event time, seq), purges by the latest.
 *
 * `repos` comes first and locks a row for every repo of the batch, whether it changes or not. Whoever writes to a repo
 * holds that lock until it commits: a purge and an old operation on the same repo cannot miss each other, and batches
 * that overlap wait in the order of the dids instead of deadlocking.
 */
import type { FoldedRows } from "./fold.ts";
import type { Statement } from "./pipeline.ts";
import type { AccountRow, IdentityRow, RecordRow } from "./types.ts";

/** Event time: whole milliseconds since the epoch. What is not valid is the row's own error. */
const AT = "to_timestamp(x.time / 1000.0)";

const REPOS = `
  INSERT INTO firehose.repos AS r (did, rev, updated_at)
  SELECT x.did, x.rev, now()
  FROM json_to_recordset($1::json) AS x(did text, rev text)
  ORDER BY x.did COLLATE "C"
  ON CONFLICT (did) DO UPDATE SET rev = excluded.rev, updated_at = excluded.updated_at
  WHERE excluded.rev > r.rev OR (r.rev IS NULL AND excluded.rev IS NOT NULL)`;

const SYNCS = `
  UPDATE firehose.repos AS r SET rev = x.rev, updated_at = now()
  FROM json_to_recordset($1::json) AS x(did text, rev text)
  WHERE r.did = x.did AND (r.rev IS NULL OR x.rev > r.rev)
  RETURNING r.did`;

const ACCOUNTS = `
  UPDATE firehose.repos AS r
  SET active = x.active, status = x.status, status_at = ${AT}, status_seq = x.seq, updated_at = now()
  FROM json_to_recordset($1::json) AS x(did text, active boolean, status text, time bigint, seq bigint)
  WHERE r.did = x.did AND (r.status_at IS NULL OR (${AT}, x.seq) > (r.status_at, r.status_seq))
  RETURNING r.did`;

const PURGES = `
  UPDATE firehose.repos AS r SET purged_at = ${AT}, purged_seq = x.seq, updated_at = now()
  FROM json_to_recordset($1::json) AS x(did text, time bigint, seq bigint)
  WHERE r.did = x.did AND (r.purged_at IS NULL OR (${AT}, x.seq) > (r.purged_at, r.purged_seq))
  RETURNING r.did`;

/** One repo a statement: joined to a list, the planner would rather read the whole table. */
const PURGED_RECORDS = `
  DELETE FROM firehose.records
  WHERE did = $1 AND (indexed_at, seq) < (to_timestamp($2::bigint / 1000.0), $3::bigint)`;

const IDENTITIES = `
  UPDATE firehose.repos AS r SET handle = x.handle, handle_at = ${AT}, handle_seq = x.seq, updated_at = now()
  FROM json_to_recordset($1::json) AS x(did text, handle text, time bigint, seq bigint)
  WHERE r.did = x.did AND (r.handle_at IS NULL OR (${AT}, x.seq) > (r.handle_at, r.handle_seq))
  RETURNING r.did`;

/** A subquery and not a join, for the same reason: one look into the index a row, however small the table is. */
const RECORDS = `
  INSERT INTO firehose.records AS r (did, collection, rkey, cid, rev, seq, record, indexed_at)
  SELECT x.did, x.collection, x.rkey, x.cid, x.rev, x.seq, x.record::jsonb, ${AT}
  FROM json_to_recordset($1::json)
    AS x(did text, collection text, rkey text, cid text, rev text, seq bigint, record text, time bigint)
  WHERE coalesce(
    (SELECT (${AT}, x.seq) > (p.purged_at, p.purged_seq) FROM firehose.repos AS p WHERE p.did = x.did), true)
  ORDER BY x.did COLLATE "C", x.collection COLLATE "C", x.rkey COLLATE "C"
  ON CONFLICT (did, collection, rkey) DO UPDATE
  SET cid = excluded.cid, rev = excluded.rev, seq = excluded.seq, record = excluded.record,
      indexed_at = excluded.indexed_at
  WHERE (excluded.rev, coalesce(excluded.cid, '') COLLATE "C") > (r.rev, coalesce(r.cid, '') COLLATE "C")`;

/** What a statement's rows are, so that its result can be counted. */
export type Target = "repos" | "syncs" | "accounts" | "purges" | "purgedRecords" | "identities" | "records";

export interface BatchStatement extends Statement {
  readonly target: Target;
}

/** A list of rows for one statement. */
interface Input {
  readonly target: Target;
  readonly sql: string;
  readonly rows: readonly object[];
}

/** In the one order that all batches use. Those without rows are left out. */
export function batchStatements(folded: FoldedRows): readonly BatchStatement[] {
  return [
    ...fromRows({ target: "repos", sql: REPOS, rows: folded.repos }),
    ...fromRows({ target: "syncs", sql: SYNCS, rows: folded.syncs.map(({ did, rev }) => ({ did, rev })) }),
    ...fromRows({ target: "accounts", sql: ACCOUNTS, rows: folded.accounts.map(accountInput) }),
    ...fromRows({ target: "purges", sql: PURGES, rows: folded.purges.map(accountInput) }),
    ...folded.purges.map(purgeStatement),
    ...fromRows({ target: "identities", sql: IDENTITIES, rows: folded.identities.map(identityInput) }),
    ...fromRows({ target: "records", sql: RECORDS, rows: folded.records.map(recordInput) }),
  ];
}

function fromRows({ target, sql, rows }: Input): readonly BatchStatement[] {
  return rows.length === 0 ? [] : [{ target, sql, values: [JSON.stringify(rows)] }];
}

function purgeStatement({ did, timeMs, seq }: AccountRow): BatchStatement {
  return { target: "purgedRecords", sql: PURGED_RECORDS, values: [did, String(timeMs), String(seq)] };
}

function accountInput({ did, active, status, timeMs, seq }: AccountRow): object {
  return { did, active, status, time: timeMs, seq };
}

function identityInput({ did, handle, timeMs, seq }: IdentityRow): object {
  return { did, handle, time: timeMs, seq };
}

/** The record stays a text within the text: spliced in, it could end its row and begin another. */
function recordInput({ did, collection, rkey, cid, rev, seq, json, timeMs }: RecordRow): object {
  return { did, collection, rkey, cid, rev, seq, record: json, time: timeMs };
}
