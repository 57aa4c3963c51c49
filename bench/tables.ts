/**
 * What is hung onto the tables costs: the change feed against the schema before it, each set of optional indexes, kept counts, and
 * functions of one's own. The same batches go into one database for each way, a few batches at a time and in turn, and what counts is
 * the processor time of the server's process, which other programs of the machine disturb least.
 */
import { readFileSync } from "node:fs";
import { toRows } from "@firehose-backfill/backfill/to-rows";
import { type Database, openDatabase } from "@firehose-backfill/sink-postgres/connection";
import { latestRows } from "@firehose-backfill/sink-postgres/latest-rows";
import { migrate } from "@firehose-backfill/sink-postgres/schema/migrate";
import { MIGRATIONS } from "@firehose-backfill/sink-postgres/schema/migrations";
import { INDEX_SETS } from "@firehose-backfill/sink-postgres/schema/optional-indexes";
import { batchStatements } from "@firehose-backfill/sink-postgres/statements";
import { benchEvents, inGroups } from "./bench-events.ts";
import type { Benchmark } from "./benchmark.ts";
import { median, numbersOf } from "./lanes.ts";
import { medianInterval } from "./median-interval.ts";
import { scratchPostgres } from "./scratch-postgres.ts";

const BATCH = 50;
/** Batches in a turn. */
const TURN = 16;
const WARM_UP_TURNS = 4;
/** Of the schema before there was a change feed. */
const BEFORE_THE_FEED = 4;

const OWN_FUNCTION = "public.bench_own";

/** What is done to a database before the batches. */
const WAYS: Readonly<Record<string, readonly string[]>> = {
  "no change feed": [],
  default: [],
  ...Object.fromEntries(
    Object.entries(INDEX_SETS).map(([name, { indexes }]) => [`indexes ${name}`, indexes.map(({ sql }) => sql)]),
  ),
  keep_counts: ["SELECT firehose.keep_counts(true)"],
  notify_changes: ["SELECT firehose.notify_changes(true)"],
  "row trigger": [
    `CREATE FUNCTION ${OWN_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
    `CREATE TRIGGER own AFTER INSERT OR UPDATE ON firehose.records FOR EACH ROW EXECUTE FUNCTION ${OWN_FUNCTION}()`,
  ],
  "statement trigger": [
    `CREATE FUNCTION ${OWN_FUNCTION}() RETURNS trigger LANGUAGE plpgsql
     AS 'BEGIN PERFORM count(*) FROM new_rows; RETURN NULL; END'`,
    `CREATE TRIGGER own AFTER INSERT ON firehose.records REFERENCING NEW TABLE AS new_rows
     FOR EACH STATEMENT EXECUTE FUNCTION ${OWN_FUNCTION}()`,
  ],
  on_batch: [
    `CREATE FUNCTION ${OWN_FUNCTION}(a firehose.records[], b firehose.records[]) RETURNS void LANGUAGE plpgsql
     AS 'BEGIN PERFORM count(*) FROM unnest(a); END'`,
    `SELECT firehose.on_batch('${OWN_FUNCTION}')`,
  ],
};

interface Way extends AsyncDisposable {
  readonly name: string;
  readonly database: Database;
  /** Of the server's process behind its one connection. */
  readonly pid: number;
  readonly microsecondsPerRow: number[];
}

export const tables: Benchmark = {
  summary: "server time and bytes of the change feed, of index sets, of triggers [--turns N]",
  async run(args) {
    const { turns } = numbersOf(args, { turns: 60 });
    await using postgres = await scratchPostgres();
    await using stack = new AsyncDisposableStack();
    const ways: Way[] = [];
    for (const name of Object.keys(WAYS)) ways.push(stack.use(await openWay(postgres.databaseUrl, name)));
    const events = benchEvents((turns + WARM_UP_TURNS) * TURN * BATCH, "tables");
    const rows = toRows(events, "structure").filter((row) => row.kind === "record");
    const groups = inGroups(inGroups(rows, BATCH), TURN);
    for (const [turn, batches] of groups.entries()) {
      for (const way of turn % 2 === 0 ? ways : ways.toReversed()) {
        const before = processorMicroseconds(way.pid);
        for (const batch of batches) {
          const statements = batchStatements(latestRows(batch)).map((each) => asOf(way.name, each));
          await way.database.use([{ sql: "BEGIN" }, ...statements, { sql: "COMMIT" }], async () => {});
        }
        const count = batches.reduce((sum, batch) => sum + batch.length, 0);
        if (turn >= WARM_UP_TURNS) way.microsecondsPerRow.push((processorMicroseconds(way.pid) - before) / count);
      }
    }
    const base = ways.find(({ name }) => name === "default")?.microsecondsPerRow ?? [];
    const results = [];
    for (const { name, database, microsecondsPerRow } of ways) {
      const ratio = medianInterval(microsecondsPerRow.map((value, turn) => value / (base[turn] ?? Number.NaN)));
      const sizes = await sizesOf(database);
      results.push({ name, microsecondsPerRow: Number(median(microsecondsPerRow).toFixed(1)), ratio, ...sizes });
      console.error(JSON.stringify(results.at(-1)));
    }
    return { turns, rows: rows.length, results };
  },
};

async function openWay(serverUrl: string, name: string): Promise<Way> {
  const own = `way_${Object.keys(WAYS).indexOf(name)}`;
  await using root = openDatabase({ databaseUrl: serverUrl, poolSize: 1 });
  await root.use([{ sql: `CREATE DATABASE ${own}` }], async () => {});
  const url = new URL(serverUrl);
  url.pathname = `/${own}`;
  const database = openDatabase({ databaseUrl: url.href, poolSize: 1, idleTimeoutMs: 3_600_000 });
  if (name === "no change feed") await migrateToBefore(database);
  else await migrate({ databaseUrl: url.href });
  for (const sql of WAYS[name] ?? []) await database.use([{ sql }], async () => {});
  const pid = await database.use([{ sql: "SELECT pg_backend_pid()" }], async (_session, [result]) =>
    Number(result?.rows[0]?.[0]),
  );
  return { name, database, pid, microsecondsPerRow: [], [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
}

async function migrateToBefore(database: Database): Promise<void> {
  const run = (sql: string) => database.use([{ sql }], async () => {});
  await run("CREATE SCHEMA firehose");
  await run("CREATE TABLE firehose.schema_version (version integer PRIMARY KEY, applied_at timestamptz NOT NULL)");
  for (const { version, statements } of MIGRATIONS.slice(0, BEFORE_THE_FEED)) {
    for (const sql of statements) await run(sql);
    await run(`INSERT INTO firehose.schema_version (version, applied_at) VALUES (${version}, now())`);
  }
}

/** The statement as it was before the feed. */
function asOf<T extends { readonly sql: string }>(name: string, statement: T): T {
  if (name !== "no change feed") return statement;
  return { ...statement, sql: statement.sql.replace(", xid = excluded.xid", "") };
}

/** Time on a processor since the process began. */
function processorMicroseconds(pid: number): number {
  const [nanoseconds] = readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ");
  return Number(nanoseconds) / 1000;
}

async function sizesOf(database: Database) {
  const sql = `SELECT count(*), pg_table_size('firehose.records'),
    (SELECT json_object_agg(indexrelid::regclass::text, pg_relation_size(indexrelid)) FROM pg_index
     WHERE indrelid = 'firehose.records'::regclass) FROM firehose.records`;
  return await database.use([{ sql }], async (_session, [result]) => {
    const [count, table, indexes] = result?.rows[0] ?? [];
    const perRow = (bytes: unknown) => Number((Number(bytes) / Number(count)).toFixed(1));
    const parsed: Record<string, number> = JSON.parse(indexes ?? "{}");
    return {
      rows: Number(count),
      tableBytesPerRow: perRow(table),
      indexBytesPerRow: Object.fromEntries(Object.entries(parsed).map(([index, bytes]) => [index, perRow(bytes)])),
    };
  });
}
