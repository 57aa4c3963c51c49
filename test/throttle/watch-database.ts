/**
 * What a backfill looks like from inside its database: every batch takes a set time there, and looks around while it
 * holds its lock: at the locks, and at the connections, its own included. Nothing of the backfill's own counting is asked.
 */
import { openTestDatabase } from "../support/query.ts";

export interface Watched {
  readonly batches: number;
  /** Advisory locks held at once. */
  readonly mostAtOnce: number;
  /** Connections of the backfill open at once. */
  readonly mostConnections: number;
}

export interface DatabaseWatch extends AsyncDisposable {
  /** Of the batches that are committed, from the last reset on. */
  seen(): Promise<Watched>;
  reset(): Promise<void>;
  untilBatches(least: number): Promise<void>;
}

const LOOK_EVERY_MS = 50;

/** The schema must be there. Each batch must hold a record. */
export async function watchDatabase(
  databaseUrl: string,
  options: { readonly batchTakesSeconds: number },
): Promise<DatabaseWatch> {
  // Under another name: who watches is not counted.
  const url = new URL(databaseUrl);
  url.searchParams.set("application_name", "watch");
  const database = await openTestDatabase(url.href);
  const { query } = database;
  await query("CREATE SCHEMA IF NOT EXISTS watch", []);
  await query("CREATE UNLOGGED TABLE IF NOT EXISTS watch.batches (at timestamptz, locks int, connections int)", []);
  await query(
    `CREATE OR REPLACE FUNCTION watch.look() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       PERFORM pg_sleep(${options.batchTakesSeconds});
       INSERT INTO watch.batches SELECT clock_timestamp(),
         (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted),
         (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'firehose-backfill');
       RETURN NULL;
     END $$`,
    [],
  );
  await query(
    "CREATE OR REPLACE TRIGGER watch BEFORE INSERT ON firehose.records FOR EACH STATEMENT EXECUTE FUNCTION watch.look()",
    [],
  );
  const seen = async (): Promise<Watched> => {
    const [row] = await query(
      "SELECT count(*)::int AS batches, coalesce(max(locks), 0) AS locks, coalesce(max(connections), 0) AS connections FROM watch.batches",
      [],
    );
    return {
      batches: Number(row?.["batches"]),
      mostAtOnce: Number(row?.["locks"]),
      mostConnections: Number(row?.["connections"]),
    };
  };
  const reset = async () => void (await query("TRUNCATE watch.batches", []));
  await reset();
  return {
    seen,
    reset,
    async untilBatches(least) {
      while ((await seen()).batches < least) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    },
    async [Symbol.asyncDispose]() {
      await query("DROP TRIGGER watch ON firehose.records", []);
      await database[Symbol.asyncDispose]();
    },
  };
}
