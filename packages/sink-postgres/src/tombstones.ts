/**
 * Old tombstones: a deleted record keeps its row so that an operation that comes late cannot bring it back. Once
 * nothing that old can come any more the rows may go.
 */
import { type TidyingOptions, TOMBSTONE_DAYS } from "@firehose-backfill/sink/tidying";
import type { Database } from "./connection.ts";
import { toSinkError } from "./sink-error.ts";

const CHUNK_ROWS = 1000;
const PAUSE_MS = 50;
const DAY_MS = 86_400_000;

/**
 * SKIP LOCKED: never waits for a batch; what is in use is left for the next time. A record of which a dead event is kept
 * keeps its tombstone, whatever its age: a redrive must not bring back what was deleted after it. Those that a range of a
 * repository left have no place in the stream that a run could still be before: of such keys `proved` says what is older.
 *
 * The change feed is told which transaction wrote the newest of those that go. What is above all transactions of this cluster
 * came with a dump from another one and is in no token.
 */
const DELETE = `
  WITH gone AS (
  DELETE FROM firehose.records
  WHERE (did, collection, rkey) IN (
    SELECT did, collection, rkey FROM firehose.records
    WHERE cid IS NULL AND indexed_at < to_timestamp($1::bigint / 1000.0) AND ($2::bigint IS NULL OR seq IS NULL OR seq < $2)
      AND NOT EXISTS (
        SELECT FROM firehose.dead_events AS d
        WHERE d.event IS NOT NULL AND d.applied_at IS NULL
          AND d.did = records.did AND d.path = records.collection || '/' || records.rkey)
    ORDER BY indexed_at LIMIT ${CHUNK_ROWS} FOR UPDATE SKIP LOCKED
  ) RETURNING xid),
  told AS (
    UPDATE firehose.change_feed AS f SET tombstones_gone = n.xid
    FROM (SELECT max(xid) AS xid FROM gone WHERE xid < pg_snapshot_xmax(pg_current_snapshot())::text::bigint) AS n
    WHERE n.xid > coalesce(f.tombstones_gone, -1))
  SELECT count(*) FROM gone`;

/** A chunk at a time, each a transaction of its own, with a pause in between. Returns how many went. @throws SinkError */
export async function removeOldTombstones(options: TidyingOptions & { readonly database: Database }): Promise<number> {
  const { database, clock, signal } = options;
  const startedAtMs = clock.now();
  const before = String(Math.trunc(startedAtMs - TOMBSTONE_DAYS * DAY_MS));
  const beforeSeq = options.beforeSeq === undefined ? null : String(options.beforeSeq);
  let removed = 0;
  try {
    for (;;) {
      if (signal?.aborted === true || clock.now() - startedAtMs > (options.atMostMs ?? Infinity)) break;
      const chunk = await database.use([{ sql: DELETE, values: [before, beforeSeq] }], async (_session, [gone]) =>
        Number(gone?.rows[0]?.[0] ?? 0),
      );
      removed += chunk;
      if (chunk < CHUNK_ROWS) break;
      await clock.sleep(PAUSE_MS, signal);
    }
  } catch (error) {
    throw toSinkError(error);
  }
  return removed;
}
