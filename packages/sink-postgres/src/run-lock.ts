/**
 * Limits concurrency: a batch's transaction begins by taking one of the pace's N advisory locks, and a batch that gets none
 * is not applied. The locks end with the transaction, so they do not survive a crash and need no session,
 * which pooled hosts do not offer.
 */
import type { Statement, StatementResult } from "./pipeline.ts";

export interface RunLockOptions {
  readonly paceId: string;
  readonly maxConcurrent: number;
  /** Where the search begins, so that batches do not all try the same lock first. */
  readonly start: number;
  readonly idleInTransactionTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
}

const NONE = "-1";
/** As SET LOCAL, which takes no parameters, so that the server would parse three statements for each batch. */
const LIMITS = `SELECT set_config('idle_in_transaction_session_timeout', $1, true), set_config('statement_timeout', $2, true),
  set_config('lock_timeout', $3, true)`;

/** Ends at the first number whose lock is free, so exactly one lock is taken. */
const LOCK = `SELECT coalesce((
  SELECT n % $3::integer FROM generate_series($2::integer, $2::integer + $3::integer - 1) AS n
  WHERE pg_try_advisory_xact_lock(hashtext($1), n % $3::integer) LIMIT 1), ${NONE})`;

const IDENTITY = "SELECT database_id FROM firehose.schema_version WHERE version = 1";

/** One round trip. The protection against double and late delivery needs READ COMMITTED, whatever the role's default is. */
export function beginLocked(options: RunLockOptions): readonly Statement[] {
  const { paceId, maxConcurrent, start, idleInTransactionTimeoutMs, statementTimeoutMs, lockTimeoutMs } = options;
  // If a process freezes in between, its lock is released.
  const limits = [idleInTransactionTimeoutMs, statementTimeoutMs, lockTimeoutMs].map((ms) => String(Math.trunc(ms)));
  const lock = [`firehose-backfill:${paceId}`, String(start), String(maxConcurrent)];
  return [
    { sql: "BEGIN ISOLATION LEVEL READ COMMITTED" },
    { sql: LIMITS, values: limits, isPrepared: true },
    { sql: IDENTITY, isPrepared: true },
    { sql: LOCK, values: lock, isPrepared: true },
  ];
}

/** Asks for the database's id in each transaction, because an address may lead to another database at any time. */
export function identityOf(results: readonly StatementResult[]): string | null {
  return results.at(-2)?.rows[0]?.[0] ?? null;
}

export function gotLock(results: readonly StatementResult[]): boolean {
  const answer = results.at(-1)?.rows[0]?.[0];
  return answer !== undefined && answer !== NONE;
}
