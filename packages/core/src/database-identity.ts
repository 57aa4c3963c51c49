/**
 * Identifies the database that a run writes to. The id is stored in the database itself, so it stays the same behind another address
 * (another port, a pooler, a restored backup), and a different database has a different id.
 */

export interface DatabaseIdentity {
  readonly id: string;
  /** host:port/database for messages, without user and password. */
  readonly name: string;
}

/** null: it is the same database. Otherwise a message with both databases and the possible actions. */
export function otherDatabase(
  runId: string,
  bound: DatabaseIdentity | null,
  /** `id` null: the database has no schema of this program. */
  found: { readonly id: string | null; readonly name: string },
): string | null {
  if (bound === null || bound.id === found.id) return null;
  const what =
    found.name === bound.name
      ? `${found.name} is not the database that it was when run ${runId} began: its schema "firehose" was dropped or replaced`
      : `DATABASE_URL is ${found.name}, and run ${runId} writes to ${bound.name}${found.id === null ? "" : " (the ids of the two databases differ)"}`;
  return `${what}. Nothing was written. To continue the run, ${found.name === bound.name ? "restore the schema" : `set DATABASE_URL back to ${bound.name}`}; to begin a new run here: start --new, which cancels that run`;
}
