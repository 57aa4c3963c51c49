/**
 * Lists what was applied last, for a person who watches. Records are shown as they are now, in the order of their sequence
 * numbers. Records of repositories have no sequence number. They are shown if the end of the table contains no records of a
 * stream, in the order in which they are stored.
 */
import type { AppliedRecord } from "@firehose-backfill/sink/applied-record";
import type { Database } from "./connection.ts";
import type { Statement } from "./pipeline.ts";
import { toSinkError } from "./sink-error.ts";

export interface ListAppliedOptions {
  readonly database: Database;
  readonly limit: number;
  /** Shortens each record to so many characters. Left out: records are complete, so their JSON is valid. */
  readonly maxRecordChars?: number;
}

/** The largest number that Postgres' `left()` takes. No record is that long. */
const ALL_CHARS = 2_147_483_647;
/** Only the last 512 KB of the table are read. They contain most of what was written last. */
const TAIL_PAGES = 64;

/** Times as ISO 8601. */
const KEYS = `seq, to_char(indexed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), did, collection, rkey, rev, cid`;
/** The columns that `toApplied` reads. */
export const RECORD_COLUMNS = `${KEYS}, record::text`;

/**
 * The rows at the end of the table show approximately where the stream is. Rows with a higher number may be in older pages
 * whose space was used again.
 */
const IN_TAIL = `ctid >= format('(%s,0)', greatest(0,
        pg_relation_size('firehose.records') / current_setting('block_size')::int - ${TAIL_PAGES}))::tid`;
const LAST = `
  SELECT * FROM (
    SELECT ${KEYS}, left(record::text, $2::int) FROM firehose.records
    WHERE seq >= (SELECT min(seq) FROM (
      SELECT seq FROM firehose.records
      WHERE ${IN_TAIL} AND seq IS NOT NULL
      ORDER BY seq DESC LIMIT $1::int) AS tail)
    ORDER BY seq DESC LIMIT $1::int
  ) AS last ORDER BY seq`;

const LAST_OF_REPOSITORIES = `
  SELECT ${KEYS}, record FROM (
    SELECT ctid AS place, seq, indexed_at, did, collection, rkey, rev, cid, left(record::text, $2::int) AS record
    FROM firehose.records WHERE ${IN_TAIL} AND seq IS NULL
    ORDER BY ctid DESC LIMIT $1::int
  ) AS last ORDER BY place`;

const OPENING: readonly Statement[] = [{ sql: "BEGIN READ ONLY" }, { sql: "SET LOCAL statement_timeout = '10s'" }];

/** Oldest first. @throws SinkError */
export async function listApplied(options: ListAppliedOptions): Promise<readonly AppliedRecord[]> {
  const { database, limit, maxRecordChars = ALL_CHARS } = options;
  const values = [String(limit), String(maxRecordChars)];
  try {
    return await database.use(OPENING, async (session) => {
      const [ofStream] = await session.run([{ sql: LAST, values }]);
      const isNone = ofStream === undefined || ofStream.rows.length === 0;
      const rest = isNone ? [{ sql: LAST_OF_REPOSITORIES, values }] : [];
      const results = await session.run([...rest, { sql: "COMMIT" }]);
      const rows = isNone ? results[0]?.rows : ofStream.rows;
      return (rows ?? []).map(toApplied);
    });
  } catch (error) {
    throw toSinkError(error);
  }
}

export function toApplied(row: readonly (string | null)[]): AppliedRecord {
  const [seq, time, did, collection, rkey, rev, cid, record] = row;
  return {
    seq: seq === null || seq === undefined ? null : Number(seq),
    time: time ?? "",
    did: did ?? "",
    collection: collection ?? "",
    rkey: rkey ?? "",
    rev: rev ?? "",
    cid: cid ?? null,
    isDeleted: (cid ?? null) === null,
    record: record ?? null,
  };
}
