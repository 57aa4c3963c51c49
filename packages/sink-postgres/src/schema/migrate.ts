/**
 * Creates and migrates the schema in one transaction, under an advisory lock, so that if several start at once, one
 * does the work and the others find it done. If the schema exists, the role does not need CREATE on the database; if it is up to
 * date, the role needs no DDL privilege.
 */
import { type DatabaseOptions, openDatabase, type Session } from "../connection.ts";
import type { Statement } from "../pipeline.ts";
import { PostgresError, StatementError, toSinkError } from "../sink-error.ts";
import { type Migration, MIGRATIONS } from "./migrations.ts";
import { readSchemaState, refuseNewer } from "./version.ts";

export interface MigrationReport {
  /** 0: the schema was created. */
  readonly from: number;
  readonly to: number;
}

const ROUND_TRIP_TIMEOUT_MS = 6 * 3_600_000;

const OPENING: readonly Statement[] = [
  { sql: "BEGIN ISOLATION LEVEL READ COMMITTED" },
  { sql: "SET LOCAL lock_timeout = '30s'" },
  // An index on a large table takes as long as it takes, whatever the role's limits are. The second is new in Postgres 17.
  { sql: "SET LOCAL statement_timeout = 0" },
  { sql: "SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'transaction_timeout'" },
  // A frozen process must not keep the lock.
  { sql: "SET LOCAL idle_in_transaction_session_timeout = '30s'" },
  { sql: "SELECT pg_advisory_xact_lock(hashtext('firehose-backfill schema'), 0)" },
];

/**
 * Does nothing if the schema is up to date, or newer and usable. `steps`: those of another version of the program, for tests.
 * @throws SinkError; NewerSchemaError if only a newer program can use the schema
 */
export async function migrate(
  options: Omit<DatabaseOptions, "poolSize">,
  steps: readonly Migration[] = MIGRATIONS,
): Promise<MigrationReport> {
  await using database = openDatabase({ roundTripTimeoutMs: ROUND_TRIP_TIMEOUT_MS, ...options, poolSize: 1 });
  try {
    return await database.use(OPENING, async (session) => {
      const state = await readSchemaState(session);
      refuseNewer(state);
      await session.run([...(await statementsFrom(session, state.version, steps)), { sql: "COMMIT" }]);
      return { from: state.version, to: Math.max(state.version, steps.length) };
    });
  } catch (error) {
    throw explain(error, database.target.shown);
  }
}

async function statementsFrom(session: Session, from: number, steps: readonly Migration[]): Promise<Statement[]> {
  const todo: Statement[] = [];
  if (from === 0) {
    // IF NOT EXISTS checks the privilege even if there is nothing to create.
    const [schema] = await session.run([{ sql: "SELECT to_regnamespace('firehose') IS NOT NULL" }]);
    if (schema?.rows[0]?.[0] !== "t") todo.push({ sql: "CREATE SCHEMA firehose" });
    todo.push({
      sql: `CREATE TABLE firehose.schema_version (
              version integer NOT NULL PRIMARY KEY,
              applied_at timestamptz NOT NULL
            )`,
    });
  }
  for (const { version, statements, usableFrom } of steps) {
    if (version <= from) continue;
    todo.push(...statements.map((sql) => ({ sql })), {
      sql: "INSERT INTO firehose.schema_version (version, applied_at) VALUES ($1, now())",
      values: [String(version)],
    });
    if (usableFrom === undefined) continue;
    todo.push(
      { sql: "ALTER TABLE firehose.schema_version ADD COLUMN IF NOT EXISTS usable_from integer" },
      {
        sql: "UPDATE firehose.schema_version SET usable_from = $2 WHERE version = $1",
        values: [String(version), String(usableFrom)],
      },
    );
  }
  return todo;
}

const INSUFFICIENT_PRIVILEGE = "42501";
const DUPLICATE_TABLE = "42P07";

function explain(error: unknown, where: string): PostgresError {
  const sink = toSinkError(error);
  if (!(error instanceof StatementError)) return sink;
  const fields = { kind: sink.kind, sqlState: sink.sqlState };
  const options = { cause: error };
  if (error.sqlState === INSUFFICIENT_PRIVILEGE) {
    const way = 'grant CREATE on the database, or make a schema "firehose" that the role owns';
    return new PostgresError(`${where} may not create the tables (${error.message}): ${way}`, fields, options);
  }
  if (error.sqlState === DUPLICATE_TABLE) {
    return new PostgresError(`the schema "firehose" holds tables of someone else (${error.message})`, fields, options);
  }
  return sink;
}
