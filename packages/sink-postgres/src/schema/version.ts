/** Reads the version of the schema in a database, and checks whether this program can use it. */
import type { Session } from "../connection.ts";
import { PostgresError } from "../sink-error.ts";
import { SCHEMA_VERSION } from "./migrations.ts";

/** 0: there is no schema. */
export async function readSchemaVersion(session: Session): Promise<number> {
  const [found] = await session.run([{ sql: "SELECT to_regclass('firehose.schema_version') IS NOT NULL" }]);
  if (found?.rows[0]?.[0] !== "t") return 0;
  const [version] = await session.run([{ sql: "SELECT coalesce(max(version), 0) FROM firehose.schema_version" }]);
  return Number(version?.rows[0]?.[0] ?? 0);
}

/** @throws SinkError (`broken`) unless the schema has this program's version */
export async function checkSchemaVersion(session: Session, lockTimeoutMs: number): Promise<void> {
  // If another session rewrites a table, even a read must wait.
  await session.run([{ sql: "BEGIN READ ONLY" }, { sql: `SET LOCAL lock_timeout = ${Math.trunc(lockTimeoutMs)}` }]);
  const version = await readSchemaVersion(session);
  await session.run([{ sql: "ROLLBACK" }]);
  if (version === SCHEMA_VERSION) return;
  throw new PostgresError(describeMismatch(version), { kind: "broken" });
}

export function describeMismatch(version: number): string {
  if (version === 0) return 'the database holds no schema "firehose" yet: it is made when a run is started';
  const needed = `this program needs version ${SCHEMA_VERSION}`;
  return version < SCHEMA_VERSION
    ? `the schema "firehose" is version ${version} and ${needed}: it is migrated when a run is started`
    : `the schema "firehose" is version ${version} and ${needed}: deploy the newer program`;
}
