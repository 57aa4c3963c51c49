/** Reads the version of the schema in a database, and checks whether this program can use it. */
import type { Session } from "../connection.ts";
import { PostgresError } from "../sink-error.ts";
import { SCHEMA_VERSION } from "./migrations.ts";

export interface SchemaState {
  /** 0: there is no schema. */
  readonly version: number;
  /** A newer program has migrated it, with steps that it declares safe for this program. */
  readonly isNewerButUsable: boolean;
}

/**
 * Only a newer program can say which of its steps an older program can live with. It says so in a column, which exists from the
 * first such step on; hence to_jsonb(), which also reads a table without it.
 */
const STATE = `
  SELECT coalesce(max(version), 0),
    bool_and(coalesce((to_jsonb(steps) ->> 'usable_from')::integer <= $1, false)) FILTER (WHERE version > $1)
  FROM firehose.schema_version AS steps`;

export async function readSchemaState(session: Session): Promise<SchemaState> {
  const [found] = await session.run([{ sql: "SELECT to_regclass('firehose.schema_version') IS NOT NULL" }]);
  if (found?.rows[0]?.[0] !== "t") return { version: 0, isNewerButUsable: false };
  const [state] = await session.run([{ sql: STATE, values: [String(SCHEMA_VERSION)] }]);
  const [version, isUsable] = state?.rows[0] ?? [];
  return { version: Number(version ?? 0), isNewerButUsable: isUsable === "t" };
}

/** @throws PostgresError (`broken`) unless this program can use the schema; NewerSchemaError if a newer program is needed */
export async function checkSchemaVersion(session: Session, lockTimeoutMs: number): Promise<void> {
  // If another session rewrites a table, even a read must wait.
  await session.run([{ sql: "BEGIN READ ONLY" }, { sql: `SET LOCAL lock_timeout = ${Math.trunc(lockTimeoutMs)}` }]);
  const state = await readSchemaState(session);
  await session.run([{ sql: "ROLLBACK" }]);
  refuseNewer(state);
  if (state.version < SCHEMA_VERSION) throw new PostgresError(describeMismatch(state.version), { kind: "broken" });
}

/** @throws NewerSchemaError */
export function refuseNewer({ version, isNewerButUsable }: SchemaState): void {
  if (version > SCHEMA_VERSION && !isNewerButUsable) throw new NewerSchemaError(version);
}

/** Told apart, because during a deploy it passes: the old program that meets it is about to be replaced. */
export class NewerSchemaError extends PostgresError {
  constructor(version: number) {
    super(describeMismatch(version), { kind: "broken" });
  }
}

export function describeMismatch(version: number): string {
  if (version === 0) return 'the database holds no schema "firehose" yet: it is made when a run is started';
  const needed = `this program needs version ${SCHEMA_VERSION}`;
  return version < SCHEMA_VERSION
    ? `the schema "firehose" is version ${version} and ${needed}: it is migrated when a run is started`
    : `the schema "firehose" is version ${version} and ${needed}: deploy the newer program`;
}
