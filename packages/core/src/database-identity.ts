/**
 * Which database a run writes to. The id is kept in the database itself: it stays the same behind another address (a port
 * that changes, a pooler, a restored backup), and another database has another one.
 */

export interface DatabaseIdentity {
  readonly id: string;
  /** host:port/database, for messages: neither user nor password. */
  readonly name: string;
}

/** null: it is the one. Otherwise what is wrong, with both databases and the ways out. */
export function otherDatabase(
  runId: string,
  bound: DatabaseIdentity | null,
  /** `id` null: it holds no schema of ours. */
  found: { readonly id: string | null; readonly name: string },
): string | null {
  if (bound === null || bound.id === found.id) return null;
  const what =
    found.name === bound.name
      ? `${found.name} is not the database that it was when run ${runId} began: its schema "firehose" was dropped or replaced`
      : `DATABASE_URL is ${found.name}, and run ${runId} writes to ${bound.name}${found.id === null ? "" : " (the ids of the two databases differ)"}`;
  return `${what}. Nothing was written. To continue the run, ${found.name === bound.name ? "restore the schema" : `set DATABASE_URL back to ${bound.name}`}; to begin a new run here: start --new, which cancels that run`;
}
