/**
 * Production's health by BACKFILL_THROTTLE_QUERY: one statement that must give a number, 0 or less for "go on". Whatever
 * else happens to it means "wait": a check that cannot be made must not let work through.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import { type Database, type DatabaseOptions, openDatabase } from "./connection.ts";
import type { Statement } from "./pipeline.ts";
import { fromDriver, SinkError, StatementError } from "./sink-error.ts";
import type { Health } from "./types.ts";

export interface HealthOptions {
  readonly database: Database;
  readonly clock: Clock;
  /** null: always healthy, at no cost. */
  readonly throttleQuery: string | null;
  readonly intervalMs?: number | undefined;
  readonly statementTimeoutMs?: number | undefined;
}

/** BACKFILL_THROTTLE_QUERY cannot work as it is written. A configuration error. */
export class ThrottleQueryError extends Error {
  override readonly name = "ThrottleQueryError";
  isRetryable(): boolean {
    return false;
  }
}

const INTERVAL_MS = 5000;
const STATEMENT_TIMEOUT_MS = 2000;
const QUERY_CANCELED = "57014";
const SHOWN_CHARS = 60;

/** Never rejects. Asked by several at once it runs the query once. */
export function createHealthCheck(options: HealthOptions): () => Promise<Health> {
  const { throttleQuery, clock, intervalMs = INTERVAL_MS } = options;
  if (throttleQuery === null) return async () => ({ kind: "healthy" });
  let checkedAt: number | null = null;
  let last: Promise<Health> = Promise.resolve({ kind: "healthy" });
  return () => {
    const age = checkedAt === null ? Infinity : clock.now() - checkedAt;
    // A clock that went back must not keep an old answer alive.
    if (age < 0 || age >= intervalMs) {
      checkedAt = clock.now();
      last = check(options.database, throttleQuery, options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS);
    }
    return last;
  };
}

async function check(database: Database, query: string, statementTimeoutMs: number): Promise<Health> {
  try {
    // The transaction is opened with the connection, so that one that died while idle is replaced.
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
    return unhealthy(error instanceof StatementError || error instanceof SinkError ? error.message : String(error));
  }
}

function opening(statementTimeoutMs: number): readonly Statement[] {
  return [{ sql: "BEGIN READ ONLY" }, { sql: `SET LOCAL statement_timeout = ${Math.trunc(statementTimeoutMs)}` }];
}

/** @param row the first of the answer; its first column counts */
function judge(row: readonly (string | null)[] | undefined): Health {
  if (row === undefined) return unhealthy("no row");
  const text = row[0];
  if (text === undefined) return unhealthy("no column");
  if (text === null) return unhealthy("NULL");
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isNaN(value)) return unhealthy(`not a number: ${text.slice(0, SHOWN_CHARS)}`);
  return value > 0 ? unhealthy(`${text} > 0`) : { kind: "healthy" };
}

function unhealthy(what: string): Health {
  return { kind: "unhealthy", because: `throttle query: ${what}` };
}

/**
 * Whether the query can work at all: one statement, known tables, no parameters, at least one column. It is parsed and
 * described, not run.
 * @throws ThrottleQueryError; SinkError (`service`) when the database cannot be reached
 */
export async function checkThrottleQuery(
  options: Omit<DatabaseOptions, "poolSize"> & { readonly throttleQuery: string },
): Promise<void> {
  await using database = openDatabase({ ...options, poolSize: 1 });
  try {
    await database.use([{ sql: "BEGIN READ ONLY" }], async (session) => {
      const [columns] = await session.run([{ sql: options.throttleQuery, describeOnly: true }, { sql: "ROLLBACK" }]);
      if (columns === undefined || columns.rows[0] === undefined || columns.count === 0) {
        throw new ThrottleQueryError("BACKFILL_THROTTLE_QUERY gives no rows; it must be a query that gives a number");
      }
    });
  } catch (error) {
    if (error instanceof ThrottleQueryError || error instanceof SinkError) throw error;
    const { message } = error instanceof StatementError ? error : fromDriver(error);
    throw new ThrottleQueryError(`BACKFILL_THROTTLE_QUERY: ${message}`, { cause: error });
  }
}
