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
const IDENTITY = "SELECT database_id FROM firehose.schema_version WHERE version = 1";

/** One round trip. The protection against double and late delivery needs READ COMMITTED, whatever the role's default is. */
export function beginLocked(options: RunLockOptions): readonly Statement[] {
  return [
    { sql: "BEGIN ISOLATION LEVEL READ COMMITTED" },
    // If a process freezes in between, its lock is released.
    { sql: `SET LOCAL idle_in_transaction_session_timeout = ${Math.trunc(options.idleInTransactionTimeoutMs)}` },
    { sql: `SET LOCAL statement_timeout = ${Math.trunc(options.statementTimeoutMs)}` },
    { sql: `SET LOCAL lock_timeout = ${Math.trunc(options.lockTimeoutMs)}` },
    { sql: IDENTITY },
    { sql: lockQuery(options), values: [`firehose-backfill:${options.paceId}`] },
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

/** CASE evaluates its conditions in order and stops at the first true one, so exactly one lock is taken. */
function lockQuery({ maxConcurrent, start }: RunLockOptions): string {
  const branches = Array.from({ length: maxConcurrent }, (_, i) => {
    const k = (start + i) % maxConcurrent;
    return `WHEN pg_try_advisory_xact_lock(run.key, ${k}) THEN ${k}`;
  });
  return `SELECT CASE ${branches.join(" ")} ELSE ${NONE} END FROM (SELECT hashtext($1) AS key) AS run`;
}
