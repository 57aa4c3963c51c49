/**
 * Removes old tombstones. A deleted record keeps its row, so that an operation that arrives late cannot bring it back. When no
 * operation that old can arrive any more, the row may be removed.
 */
import { type TidyingOptions, TOMBSTONE_DAYS } from "@firehose-backfill/sink/tidying";
import type { Database } from "./connection.ts";
import { toSinkError } from "./sink-error.ts";

const CHUNK_ROWS = 1000;
const PAUSE_MS = 50;
const DAY_MS = 86_400_000;

/**
 * SKIP LOCKED: it never waits for a batch, and leaves rows in use for the next time. If a dead event of a record exists, its
 * tombstone stays, whatever its age, because a redrive must not bring back what was deleted later. Tombstones from ranges of a
 * repository have no position in a stream, so no open run can still need them: `proved` says what is older.
 *
 * The change feed stores which transaction wrote the newest of the removed rows. Transaction numbers above all of this cluster
 * came with a dump from another one and are in no token.
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

/** Removes one chunk at a time, each in its own transaction, with pauses in between. Returns how many rows were removed. @throws SinkError */
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
