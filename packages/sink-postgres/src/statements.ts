/**
 * The SQL of a batch. Each statement takes its rows as lists, one for each column, and says itself which of them are news, so that
 * batches may come twice, late, or in any order: records by `rev` (then by CID, for a commit that names a path twice),
 * markers by what each host said last: by its sequence number within a host, by event time between hosts.
 *
 * The statement for `repos` comes first and locks a row for every repository of the batch, whether it changes or not. Whoever
 * writes to a repository holds that lock until the commit. So a purge and an old operation on the same repository always see
 * each other, and overlapping batches wait in the order of the DIDs instead of deadlocking.
 */
import { tidAt } from "@firehose-backfill/core/tid";
import type { LatestRows } from "./latest-rows.ts";
import type { Statement } from "./pipeline.ts";
import { PROVED_RECORDS, provedInput, recordInput, RECORDS } from "./record-statements.ts";
import { THIS_TRANSACTION } from "./schema/change-feed.ts";
import { type ListedRow, listsOf, inTwoForms, type TwoForms } from "./row-lists.ts";
import type { AccountRow, IdentityRow } from "@firehose-backfill/sink/rows";

const REPOS = inTwoForms(
  { did: "text", rev: "text" },
  1,
  (x) => `
  INSERT INTO firehose.repos AS r (did, rev, updated_at)
  SELECT x.did, x.rev, now()
  FROM ${x}
  ORDER BY x.did COLLATE "C"
  ON CONFLICT (did) DO UPDATE SET rev = excluded.rev, updated_at = excluded.updated_at
  WHERE excluded.rev > r.rev OR (r.rev IS NULL AND excluded.rev IS NOT NULL)`,
);

const SYNCS = `
  UPDATE firehose.repos AS r SET rev = x.rev, updated_at = now()
  FROM json_to_recordset($1::json) AS x(did text, rev text)
  WHERE r.did = x.did AND (r.rev IS NULL OR x.rev > r.rev)
  RETURNING r.did`;

/** For one kind of marker: the mark of rows from before marks were stored. Their host is not known, and its key sorts before all others. */
function marksBefore(kind: "status" | "handle" | "purge", fields: string): string {
  const columns = kind === "purge" ? "purged" : kind;
  return `coalesce(r.${kind}_marks, CASE WHEN r.${columns}_at IS NULL THEN '{}' ELSE jsonb_build_object('',
    jsonb_build_object('seq', r.${columns}_seq, 'at', (extract(epoch FROM r.${columns}_at) * 1000)::bigint${fields})) END)`;
}

/** Whether the row is newer than its host's mark of that kind. */
function isNews(kind: "status" | "handle"): string {
  const mark = `r.${kind}_marks -> x.host`;
  return `(${mark} IS NULL OR (x.seq, coalesce(x.time, 0))
    > ((${mark} ->> 'seq')::bigint, coalesce((${mark} ->> 'at')::bigint, 0)))`;
}

/** Which of the hosts' last markers counts: the latest by time; if the times are not known or the same, the one with the greater key. */
const LATEST = "ORDER BY (w.value ->> 'at')::bigint DESC NULLS LAST, w.key DESC LIMIT 1";
const LATEST_AT = "to_timestamp((w.value ->> 'at')::bigint / 1000.0)";

const ACCOUNTS = `
  UPDATE firehose.repos AS r
  SET (active, status, status_at, status_seq, status_marks, updated_at, xid) = (
    SELECT (w.value ->> 'active')::boolean, w.value ->> 'status', ${LATEST_AT}, (w.value ->> 'seq')::bigint, m.marks, now(), ${THIS_TRANSACTION}
    FROM (SELECT ${marksBefore("status", ", 'active', r.active, 'status', r.status")} || jsonb_build_object(x.host,
      jsonb_build_object('seq', x.seq, 'at', x.time, 'active', x.active, 'status', x.status)) AS marks) AS m,
      jsonb_each(m.marks) AS w
    ${LATEST})
  FROM json_to_recordset($1::json) AS x(did text, host text, active boolean, status text, time bigint, seq bigint)
  WHERE r.did = x.did AND ${isNews("status")}
  RETURNING r.did`;

/** The greatest number and the latest time are kept separately. Both only grow, in whatever order the markers come. */
const PURGES = `
  UPDATE firehose.repos AS r
  SET (purged_at, purged_seq, purge_marks, updated_at, xid, purged_xid) = (
    SELECT ${LATEST_AT}, (w.value ->> 'seq')::bigint, m.marks, now(), ${THIS_TRANSACTION}, ${THIS_TRANSACTION}
    FROM (SELECT ${marksBefore("purge", "")} || jsonb_build_object(x.host, jsonb_build_object(
      'seq', greatest(x.seq, (r.purge_marks -> x.host ->> 'seq')::bigint),
      'at', greatest(x.time, (r.purge_marks -> x.host ->> 'at')::bigint))) AS marks) AS m,
      jsonb_each(m.marks) AS w
    ${LATEST})
  FROM json_to_recordset($1::json) AS x(did text, host text, time bigint, seq bigint)
  WHERE r.did = x.did AND (r.purge_marks -> x.host IS NULL
    OR x.seq > (r.purge_marks -> x.host ->> 'seq')::bigint
    OR x.time > coalesce((r.purge_marks -> x.host ->> 'at')::bigint, -1))
  RETURNING r.did`;

/**
 * One statement for each repository, because with a join to a list the planner would read the whole table. A row from a
 * repository is as old as the revision that proved it. Any other row without a host is from before hosts were stored.
 */
const PURGED_RECORDS = `
  DELETE FROM firehose.records
  WHERE did = $1 AND CASE
    WHEN seq IS NULL THEN rev < $5
    WHEN host = $4::integer THEN seq < $3::bigint
    WHEN host IS NULL THEN (indexed_at, seq) < (to_timestamp($2::bigint / 1000.0), $3::bigint)
    ELSE indexed_at < to_timestamp($2::bigint / 1000.0) END`;

/** A look-up that got no answer leaves the handle that was known. */
const IDENTITIES = `
  UPDATE firehose.repos AS r
  SET (handle, handle_at, handle_seq, handle_check, handle_marks, updated_at, xid) = (
    SELECT w.value ->> 'handle', ${LATEST_AT}, (w.value ->> 'seq')::bigint, w.value ->> 'check', m.marks, now(), ${THIS_TRANSACTION}
    FROM (SELECT ${marksBefore("handle", ", 'handle', r.handle")} || jsonb_build_object(x.host,
      jsonb_build_object('seq', x.seq, 'at', x.time, 'handle', coalesce(x.handle, CASE WHEN x."check" = 'unreachable' THEN r.handle END))
      || CASE WHEN x."check" IS NULL THEN '{}' ELSE jsonb_build_object('check', x."check") END) AS marks) AS m,
      jsonb_each(m.marks) AS w
    ${LATEST})
  FROM json_to_recordset($1::json) AS x(did text, host text, handle text, "check" text, time bigint, seq bigint)
  WHERE r.did = x.did AND ${isNews("handle")}
  RETURNING r.did`;

/** What a statement's rows are, so that its result can be counted. */
export type Target = "repos" | "syncs" | "accounts" | "purges" | "purgedRecords" | "identities" | "records" | "proved";

export interface BatchStatement extends Statement {
  readonly target: Target;
}

/** The statements in the order that all batches use. Statements without rows are left out. `host`: the host whose sequence numbers the rows have. */
export function batchStatements(latest: LatestRows, host = 0): readonly BatchStatement[] {
  const key = String(host);
  const [ofStream, proved] = [
    latest.records.filter(({ seq }) => seq !== null),
    latest.records.filter(({ seq }) => seq === null),
  ];
  return [
    ...inLists("repos", REPOS, latest.repos),
    ...fromRows({ target: "syncs", sql: SYNCS, rows: latest.syncs.map(({ did, rev }) => ({ did, rev })) }),
    ...fromRows({ target: "accounts", sql: ACCOUNTS, rows: latest.accounts.map((row) => accountInput(row, key)) }),
    ...fromRows({ target: "purges", sql: PURGES, rows: latest.purges.map((row) => accountInput(row, key)) }),
    ...latest.purges.map((row) => purgeStatement(row, key)),
    ...fromRows({
      target: "identities",
      sql: IDENTITIES,
      rows: latest.identities.map((row) => identityInput(row, key)),
    }),
    ...inLists("records", RECORDS, ofStream.map(recordInput), [key]),
    ...inLists("proved", PROVED_RECORDS, proved.map(provedInput)),
  ];
}

/** A list of rows for one statement. */
interface Input {
  readonly target: Target;
  readonly sql: string;
  readonly rows: readonly object[];
}

/** For markers, of which a batch has few: the rows as one JSON text. */
function fromRows({ target, sql, rows }: Input): readonly BatchStatement[] {
  return rows.length === 0 ? [] : [{ target, sql, values: [JSON.stringify(rows)] }];
}

/** For what nearly every batch has. */
function inLists(
  target: Target,
  { columns, sqlOfLists, sqlOfJson }: TwoForms,
  rows: readonly ListedRow[],
  before: readonly string[] = [],
): readonly BatchStatement[] {
  if (rows.length === 0) return [];
  const lists = listsOf(rows, columns);
  if (lists === null) return [{ target, sql: sqlOfJson, values: [...before, JSON.stringify(rows)] }];
  return [{ target, sql: sqlOfLists, values: [...before, ...lists], isPrepared: true }];
}

function purgeStatement({ did, timeMs, seq }: AccountRow, host: string): BatchStatement {
  const time = Number.isNaN(timeMs) ? null : String(timeMs);
  const rev = Number.isNaN(timeMs) ? null : tidAt(timeMs);
  return { target: "purgedRecords", sql: PURGED_RECORDS, values: [did, time, String(seq), host, rev] };
}

function accountInput({ did, active, status, timeMs, seq }: AccountRow, host: string): object {
  return { did, host, active, status, time: timeMs, seq };
}

function identityInput({ did, handle, check, timeMs, seq }: IdentityRow, host: string): object {
  return { did, host, handle, check, time: timeMs, seq };
}
