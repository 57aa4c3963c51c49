/**
 * Every batch of every run, recorded by the database itself: when it came, and how many batches held a lock of the pace at that moment.
 * Each takes a set time there. So batches overlap as they do in production, and a pause of a loaded machine is not taken
 * for a database that has become slow. The record is part of the batch's transaction, and survives the kills with it.
 */
import type { Query } from "../support/compare.ts";

export interface SeenBatch {
  /** The server's clock, milliseconds since the epoch. */
  readonly atMs: number;
  /** Locks of the pace that were held at this moment, its own included. */
  readonly locks: number;
}

/** The schema must be there. */
export async function beginToWatch(query: Query, { batchTakesSeconds }: { readonly batchTakesSeconds: number }) {
  await query("CREATE SCHEMA watch", []);
  await query("CREATE TABLE watch.batches (xact xid8 PRIMARY KEY, at timestamptz, locks int)", []);
  // The locks of the pace have two numbers for a key: objsubid is 2.
  await query(
    `CREATE FUNCTION watch.look() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       IF EXISTS (SELECT FROM watch.batches WHERE xact = pg_current_xact_id()) THEN RETURN NULL; END IF;
       INSERT INTO watch.batches SELECT pg_current_xact_id(), clock_timestamp(), 0;
       PERFORM pg_sleep(${batchTakesSeconds});
       UPDATE watch.batches SET locks =
         (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2)
         WHERE xact = pg_current_xact_id();
       RETURN NULL;
     END $$`,
    [],
  );
  for (const table of ["records", "repos"])
    await query(
      `CREATE TRIGGER watch BEFORE INSERT ON firehose.${table} FOR EACH STATEMENT EXECUTE FUNCTION watch.look()`,
      [],
    );
}

/** Committed batches, in order of time. */
export async function seenBatches(query: Query): Promise<readonly SeenBatch[]> {
  const rows = await query("SELECT extract(epoch FROM at) * 1000 AS at, locks FROM watch.batches ORDER BY at", []);
  return rows.map((row) => ({ atMs: Number(row["at"]), locks: Number(row["locks"]) }));
}

/**
 * Batches per second by the line that fits best, so that neither end counts more than the rest. null: fewer than two.
 */
export function batchesPerSecond(batches: readonly SeenBatch[]): number | null {
  const count = batches.length;
  const meanAt = batches.reduce((sum, { atMs }) => sum + atMs, 0) / count;
  const meanNumber = (count - 1) / 2;
  let across = 0;
  let along = 0;
  for (const [number, { atMs }] of batches.entries()) {
    across += (atMs - meanAt) * (number - meanNumber);
    along += (atMs - meanAt) ** 2;
  }
  return along === 0 ? null : (across / along) * 1000;
}

/** The longest stretch in which no two batches are further apart than this. */
export function longestStretch(batches: readonly SeenBatch[], { apartMs }: { readonly apartMs: number }) {
  let longest: SeenBatch[] = [];
  let stretch: SeenBatch[] = [];
  for (const batch of batches) {
    const last = stretch.at(-1);
    if (last !== undefined && batch.atMs - last.atMs > apartMs) stretch = [];
    stretch.push(batch);
    if (stretch.length > longest.length) longest = stretch;
  }
  return longest;
}
