/** What a look at a database tells before anything is written to it: privileges, schema, clock, room for connections. */
import { type DatabaseOptions, openDatabase } from "./connection.ts";
import { SCHEMA_VERSION } from "./schema/migrations.ts";
import { describeMismatch, readSchemaVersion } from "./schema/version.ts";
import { toSinkError } from "./sink-error.ts";

export interface DatabaseFindings {
  /** The server's, in the middle of the question. */
  readonly nowMs: number;
  /** 0: there is none yet. */
  readonly schemaVersion: number;
  readonly neededVersion: number;
  /** null: it is the one this program writes. */
  readonly mismatch: string | null;
  /** The role may make the schema. */
  readonly canCreateSchema: boolean;
  /** What the role lacks on the tables that are there: `INSERT on firehose.records`. */
  readonly missingPrivileges: readonly string[];
  /** Connections that are free for this role, at this moment. */
  readonly freeConnections: number;
  /** A standby, or a default of read only: nothing can be applied. */
  readonly isReadOnly: boolean;
}

const FACTS = `
  SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
    has_database_privilege(current_database(), 'CREATE'),
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int + 1,
    current_setting('transaction_read_only') = 'on'`;

/** Each on its own: a list of privileges means any of them. */
const PRIVILEGES = `
  SELECT privilege || ' on firehose.' || name
  FROM unnest(ARRAY['records', 'repos', 'dead_events', 'schema_version']) AS name,
    unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
  WHERE to_regclass('firehose.' || name) IS NOT NULL
    AND (name <> 'schema_version' OR privilege = 'SELECT')
    AND NOT has_table_privilege('firehose.' || name, privilege)
  ORDER BY name, privilege`;

/** @throws SinkError, DatabaseUrlError */
export async function examineDatabase(options: Omit<DatabaseOptions, "poolSize">): Promise<DatabaseFindings> {
  await using database = openDatabase({ ...options, poolSize: 1 });
  try {
    return await database.use([{ sql: FACTS }], async (session, [facts]) => {
      const [nowMs, canCreate, free, isReadOnly] = facts?.rows[0] ?? [];
      const [missing] = await session.run([{ sql: PRIVILEGES }]);
      const schemaVersion = await readSchemaVersion(session);
      return {
        nowMs: Number(nowMs),
        schemaVersion,
        neededVersion: SCHEMA_VERSION,
        mismatch: schemaVersion === SCHEMA_VERSION ? null : describeMismatch(schemaVersion),
        canCreateSchema: canCreate === "t",
        missingPrivileges: (missing?.rows ?? []).map(([privilege]) => privilege ?? ""),
        freeConnections: Number(free),
        isReadOnly: isReadOnly === "t",
      };
    });
  } catch (error) {
    throw toSinkError(error);
  }
}
