/** Finds the session that holds the lock a batch waits for, as far as the role may see it, on the same connection as the failed lock. */
import type { Session } from "./connection.ts";

/**
 * Among the locks that block the batch, held ones come before requested ones (the batch also waits behind those). If there
 * is no such lock, single rows are locked, and the oldest transaction that writes to our tables is probably the holder.
 * The text of another role's query needs pg_read_all_stats.
 */
const HOLDERS = `
  SELECT c.relname, l.pid, a.state, left(a.query, 200),
    l.mode IN ('RowExclusiveLock', 'RowShareLock') AS only_rows
  FROM pg_locks AS l
    JOIN pg_class AS c ON c.oid = l.relation
    LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
  WHERE l.locktype = 'relation' AND l.pid <> pg_backend_pid()
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND c.relnamespace = to_regnamespace('firehose')
    AND (l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
      OR (l.granted AND l.mode IN ('RowExclusiveLock', 'RowShareLock')))
  ORDER BY only_rows, NOT l.granted, c.relkind <> 'r', c.relname <> 'records', a.xact_start
  LIMIT 1`;

/** `waits for a lock on firehose.records held by pid 7 (CREATE INDEX …)`. null: no session was found, or the query failed. */
export async function describeLockHolder(session: Session): Promise<string | null> {
  const [result] = await session.run([{ sql: HOLDERS }]);
  const [relation, pid, state, query, onlyRows] = result?.rows[0] ?? [];
  if (relation == null || pid == null) return null;
  const what = onlyRows === "t" ? `rows of firehose.${relation}, probably held` : `a lock on firehose.${relation} held`;
  const text = (query ?? "").replaceAll(/\s+/g, " ").trim();
  // For another role's session, Postgres shows a placeholder in angle brackets.
  const shown = text === "" || text.startsWith("<") ? "its query is hidden from this role" : text;
  return `waits for ${what} by pid ${pid} (${state === "idle in transaction" ? "idle in transaction after: " : ""}${shown})`;
}
