/**
 * What a backfill handed to its database and when, noted by the database itself: a trigger writes one line for each row
 * that a batch brings, stale or not. Nothing of the backfill's own counting is asked.
 */
import { openTestDatabase } from "../test/support/query.ts";

export interface HandedBatch {
  /** Server's clock, milliseconds since the epoch. */
  readonly atMs: number;
  readonly events: number;
}

export interface AppliedLog extends AsyncDisposable {
  /** Committed batches in the order of time. */
  batches(): Promise<readonly HandedBatch[]>;
  /** Events handed over in this stretch of time. */
  eventsIn(fromMs: number, untilMs: number): Promise<number>;
}

/** The schema must be there. An event is a row only in a stream like creates.ts'. */
export async function recordApplied(databaseUrl: string): Promise<AppliedLog> {
  const url = new URL(databaseUrl);
  // Under another name: who watches is not the backfill.
  url.searchParams.set("application_name", "bench");
  const database = await openTestDatabase(url.href);
  const { query } = database;
  await query("CREATE SCHEMA bench", []);
  await query("CREATE UNLOGGED TABLE bench.applied (xact xid8, at timestamptz)", []);
  await query(
    `CREATE FUNCTION bench.note() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       INSERT INTO bench.applied VALUES (pg_current_xact_id(), clock_timestamp());
       RETURN NEW;
     END $$`,
    [],
  );
  await query("CREATE TRIGGER bench BEFORE INSERT ON firehose.records FOR EACH ROW EXECUTE FUNCTION bench.note()", []);
  return {
    async batches() {
      const rows = await query(
        "SELECT extract(epoch FROM max(at)) * 1000 AS at, count(*) AS events FROM bench.applied GROUP BY xact ORDER BY 1",
        [],
      );
      return rows.map((row) => ({ atMs: Number(row["at"]), events: Number(row["events"]) }));
    },
    async eventsIn(fromMs, untilMs) {
      const [row] = await query(
        "SELECT count(*) AS events FROM bench.applied WHERE at >= to_timestamp($1) AND at < to_timestamp($2)",
        [fromMs / 1000, untilMs / 1000],
      );
      return Number(row?.["events"]);
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
