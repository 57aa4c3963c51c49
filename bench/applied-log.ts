/**
 * What a backfill applied and when, recorded by the database itself. The backfill's own counts are not used. `rows`: a trigger
 * writes one line for each row of a batch, stale or not. `statements`: one line for each statement, with the rows that it
 * inserted, which costs the database much less.
 */
import { openTestDatabase } from "../test/support/query.ts";

export interface HandedBatch {
  /** When its transaction began and when its last row was written: the server's clock, milliseconds since the epoch. */
  readonly beganMs: number;
  readonly atMs: number;
  readonly events: number;
}

export interface AppliedLog extends AsyncDisposable {
  /** Committed batches in order of time. */
  batches(): Promise<readonly HandedBatch[]>;
  /** Events applied in this period. */
  eventsIn(fromMs: number, untilMs: number): Promise<number>;
}

const TRIGGERS = {
  rows: { count: "1", on: "BEFORE INSERT ON firehose.records FOR EACH ROW" },
  statements: {
    count: "(SELECT count(*) FROM new_rows)",
    on: "AFTER INSERT ON firehose.records REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
  },
} as const;

/** The schema must exist. Each event is one row only in a stream like that of creates.ts. */
export async function recordApplied(databaseUrl: string, each: keyof typeof TRIGGERS): Promise<AppliedLog> {
  const url = new URL(databaseUrl);
  // Another name, because this connection is not part of the backfill.
  url.searchParams.set("application_name", "bench");
  const database = await openTestDatabase(url.href);
  const { query } = database;
  const { count, on } = TRIGGERS[each];
  await query("CREATE SCHEMA bench", []);
  await query("CREATE UNLOGGED TABLE bench.applied (xact xid8, began timestamptz, at timestamptz, events bigint)", []);
  await query(
    `CREATE FUNCTION bench.note() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       INSERT INTO bench.applied VALUES (pg_current_xact_id(), now(), clock_timestamp(), ${count});
       RETURN NEW;
     END $$`,
    [],
  );
  await query(`CREATE TRIGGER bench ${on} EXECUTE FUNCTION bench.note()`, []);
  return {
    async batches() {
      const rows = await query(
        `SELECT extract(epoch FROM min(began)) * 1000 AS began, extract(epoch FROM max(at)) * 1000 AS at, sum(events) AS events
         FROM bench.applied GROUP BY xact ORDER BY 2`,
        [],
      );
      return rows.map((row) => ({
        beganMs: Number(row["began"]),
        atMs: Number(row["at"]),
        events: Number(row["events"]),
      }));
    },
    async eventsIn(fromMs, untilMs) {
      const [row] = await query(
        "SELECT coalesce(sum(events), 0) AS events FROM bench.applied WHERE at >= to_timestamp($1) AND at < to_timestamp($2)",
        [fromMs / 1000, untilMs / 1000],
      );
      return Number(row?.["events"]);
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
