/** What was applied last, for a person who watches: records as they stand, in the order of their sequence numbers. */
import type { AppliedRecord } from "@firehose-backfill/sink/applied-feed";
import type { Database } from "./connection.ts";
import type { Statement } from "./pipeline.ts";
import { toSinkError } from "./sink-error.ts";

export interface ListAppliedOptions {
  readonly database: Database;
  /** Only above it. null: the last ones. */
  readonly afterSeq: number | null;
  readonly limit: number;
  /** Left out: records are whole, and so is their JSON. */
  readonly maxRecordChars?: number;
}

/** What `left()` takes at most; no record is near it. */
const ALL_CHARS = 2_147_483_647;
/** 512 KB from the table's end: most of what was written last is there, and the rest of the table is left alone. */
const TAIL_PAGES = 64;

const COLUMNS = `seq, to_char(indexed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
  did, collection, rkey, rev, cid, left(record::text, $2::int)`;

/** What stands at the end tells about where the stream is; what is above that may be in pages that were used again. */
const LAST = `
  SELECT * FROM (
    SELECT ${COLUMNS} FROM firehose.records
    WHERE seq >= (SELECT min(seq) FROM (
      SELECT seq FROM firehose.records
      WHERE ctid >= format('(%s,0)', greatest(0,
        pg_relation_size('firehose.records') / current_setting('block_size')::int - ${TAIL_PAGES}))::tid
        AND seq IS NOT NULL
      ORDER BY seq DESC LIMIT $1::int) AS tail)
    ORDER BY seq DESC LIMIT $1::int
  ) AS last ORDER BY seq`;

const AFTER = `SELECT ${COLUMNS} FROM firehose.records WHERE seq > $3::bigint ORDER BY seq LIMIT $1::int`;

const OPENING: readonly Statement[] = [{ sql: "BEGIN READ ONLY" }, { sql: "SET LOCAL statement_timeout = '10s'" }];

/** Oldest first. Events that are applied late, below `afterSeq`, are not seen. @throws SinkError */
export async function listApplied(options: ListAppliedOptions): Promise<readonly AppliedRecord[]> {
  const { database, afterSeq, limit, maxRecordChars = ALL_CHARS } = options;
  const values = [String(limit), String(maxRecordChars)];
  const statement = afterSeq === null ? { sql: LAST, values } : { sql: AFTER, values: [...values, String(afterSeq)] };
  try {
    return await database.use(OPENING, async (session) => {
      const [result] = await session.run([statement, { sql: "COMMIT" }]);
      return (result?.rows ?? []).map(([seq, time, did, collection, rkey, rev, cid, record]) => ({
        seq: Number(seq),
        time: time ?? "",
        did: did ?? "",
        collection: collection ?? "",
        rkey: rkey ?? "",
        rev: rev ?? "",
        cid: cid ?? null,
        isDeleted: (cid ?? null) === null,
        record: record ?? null,
      }));
    });
  } catch (error) {
    throw toSinkError(error);
  }
}
