/**
 * Production's health by BACKFILL_THROTTLE_QUERY: one statement that must give a number (0 or less: continue) or a
 * boolean (false: continue). Any other result means "wait": if the check fails, nothing must be applied.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import { ConfigError } from "@firehose-backfill/core/errors";
import { type Database, type DatabaseOptions, openDatabase } from "./connection.ts";
import type { Statement } from "./pipeline.ts";
import { fromDriver, PostgresError, StatementError } from "./sink-error.ts";
import type { Health } from "@firehose-backfill/sink/production-health";

export interface HealthOptions {
  readonly database: Database;
  readonly clock: Clock;
  /** null: always healthy, without a query. */
  readonly throttleQuery: string | null;
  readonly intervalMs?: number | undefined;
  readonly statementTimeoutMs?: number | undefined;
}

/** BACKFILL_THROTTLE_QUERY cannot work in its current form. */
export class ThrottleQueryError extends ConfigError {
  override readonly name = "ThrottleQueryError";

  constructor(problem: string, options?: ErrorOptions) {
    super([problem]);
    if (options?.cause !== undefined) this.cause = options.cause;
  }
}

const INTERVAL_MS = 5000;
const STATEMENT_TIMEOUT_MS = 2000;
const QUERY_CANCELED = "57014";
const SHOWN_CHARS = 60;

const NEEDED = "it must give a number (above 0: wait) or a boolean (true: wait) within 2 seconds";

/** int2, int4, int8, oid, float4, float8, numeric, boolean; and texts, which may contain a number. */
const USABLE_TYPES: ReadonlySet<string> = new Set(
  [21, 23, 20, 26, 700, 701, 1700, 16, 25, 1043, 1042, 705].map(String),
);

/**
 * Runs the query once, as a consumer does, to check whether it works. null: it gave a valid answer, whatever it is;
 * otherwise the problem, and what a valid answer would be.
 */
export async function whyNoAnswer(
  options: Omit<DatabaseOptions, "poolSize"> & { readonly throttleQuery: string },
): Promise<string | null> {
  await using database = openDatabase({ ...options, poolSize: 1 });
  const health = await check(database, options.throttleQuery, STATEMENT_TIMEOUT_MS);
  if (health.kind === "healthy" || / > 0$|: true$/.test(health.because)) return null;
  return `${health.because}; ${NEEDED}`;
}

/** Never rejects. Simultaneous calls share one query. */
export function createHealthCheck(options: HealthOptions): () => Promise<Health> {
  const { throttleQuery, clock, intervalMs = INTERVAL_MS } = options;
  if (throttleQuery === null) return async () => ({ kind: "healthy" });
  let checkedAt: number | null = null;
  let last: Promise<Health> = Promise.resolve({ kind: "healthy" });
  return () => {
    const age = checkedAt === null ? Infinity : clock.now() - checkedAt;
    // A clock that went back must not keep an old answer valid.
    if (age < 0 || age >= intervalMs) {
      checkedAt = clock.now();
      last = check(options.database, throttleQuery, options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS);
    }
    return last;
  };
}

async function check(database: Database, query: string, statementTimeoutMs: number): Promise<Health> {
  try {
    // The transaction is opened together with the connection, so that a connection that died while idle is replaced.
    return await database.use(opening(statementTimeoutMs), async (session) => {
      try {
        const [result] = await session.run([{ sql: query, maxRows: 1 }]);
        await session.run([{ sql: "ROLLBACK" }]);
        return judge(result?.rows[0]);
      } catch (error) {
        if (!(error instanceof StatementError)) throw error;
        await session.run([{ sql: "ROLLBACK" }]);
        return unhealthy(
          error.sqlState === QUERY_CANCELED ? `timed out after ${statementTimeoutMs} ms` : error.message,
        );
      }
    });
  } catch (error) {
    return unhealthy(error instanceof StatementError || error instanceof PostgresError ? error.message : String(error));
  }
}

function opening(statementTimeoutMs: number): readonly Statement[] {
  return [{ sql: "BEGIN READ ONLY" }, { sql: `SET LOCAL statement_timeout = ${Math.trunc(statementTimeoutMs)}` }];
}

/** @param row the first row of the answer; its first column counts */
function judge(row: readonly (string | null)[] | undefined): Health {
  if (row === undefined) return unhealthy("no row");
  const text = row[0];
  if (text === undefined) return unhealthy("no column");
  if (text === null) return unhealthy("NULL");
  // A boolean in Postgres' format: true means wait.
  if (text === "t" || text === "true") return unhealthy("true");
  if (text === "f" || text === "false") return { kind: "healthy" };
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isNaN(value)) return unhealthy(`not a number: ${text.slice(0, SHOWN_CHARS)}`);
  return value > 0 ? unhealthy(`${text} > 0`) : { kind: "healthy" };
}

function unhealthy(what: string): Health {
  return { kind: "unhealthy", because: `throttle query: ${what}` };
}

/**
 * Whether the query can work at all: one statement, known tables, no parameters, a first column with a number or a
 * boolean. It is parsed and described, not run.
 * @throws ThrottleQueryError; SinkError (`service`) if the database cannot be reached
 */
export async function checkThrottleQuery(
  options: Omit<DatabaseOptions, "poolSize"> & { readonly throttleQuery: string },
): Promise<void> {
  await using database = openDatabase({ ...options, poolSize: 1 });
  try {
    await database.use([{ sql: "BEGIN READ ONLY" }], async (session) => {
      const [columns] = await session.run([{ sql: options.throttleQuery, describeOnly: true }]);
      if (columns === undefined || columns.rows[0] === undefined || columns.count === 0) {
        throw new ThrottleQueryError(`BACKFILL_THROTTLE_QUERY gives no rows; ${NEEDED}`);
      }
      const [type = ""] = columns.rows[1] ?? [];
      if (type !== null && !USABLE_TYPES.has(type)) {
        const [named] = await session.run([{ sql: "SELECT format_type($1::oid, NULL)", values: [type] }]);
        const name = named?.rows[0]?.[0] ?? `type ${type}`;
        const hint =
          name === "interval" ? ": SELECT extract(epoch FROM …) - 60, to wait while it is above a minute" : "";
        throw new ThrottleQueryError(`BACKFILL_THROTTLE_QUERY gives a value of type ${name}; ${NEEDED}${hint}`);
      }
    });
  } catch (error) {
    if (error instanceof ThrottleQueryError || error instanceof PostgresError) throw error;
    const { message } = error instanceof StatementError ? error : fromDriver(error);
    throw new ThrottleQueryError(`BACKFILL_THROTTLE_QUERY: ${message}`, { cause: error });
  }
}
