/** Examines a database before anything is written to it: privileges, schema, clock, free connections. */
import { type DatabaseOptions, openDatabase, type Session } from "./connection.ts";
import { SCHEMA_VERSION } from "./schema/migrations.ts";
import { describeMismatch, readSchemaState } from "./schema/version.ts";
import { toSinkError } from "./sink-error.ts";

export interface DatabaseFindings {
  /** The server's time in the middle of the request. */
  readonly nowMs: number;
  /** The schema's version. 0: there is no schema. null: the role may not read it. */
  readonly schemaVersion: number | null;
  readonly neededVersion: number;
  /** null: this program can use it. */
  readonly mismatch: string | null;
  /** The role may create the schema or, if an empty one exists, the tables in it. */
  readonly canCreateSchema: boolean;
  /** The role's name, quoted for SQL. */
  readonly role: string;
  /** Privileges that the role does not have on existing objects: `USAGE on schema firehose`, `INSERT on firehose.records`. */
  readonly missingPrivileges: readonly string[];
  /** How many connections are free for this role now. */
  readonly freeConnections: number;
  /** The database is a standby, or transactions are read only by default, so nothing can be applied. */
  readonly isReadOnly: boolean;
}

const FACTS = `
  SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
    has_database_privilege(current_database(), 'CREATE'),
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int + 1,
    current_setting('transaction_read_only') = 'on',
    quote_ident(current_user)`;

/** It asks the catalog, which everybody may read. Naming a table in a schema without USAGE would be an error. */
const SCHEMA =
  "SELECT has_schema_privilege(oid, 'USAGE'), has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = 'firehose'";

/** Each privilege is asked for separately, because a list of privileges means any of them. */
const PRIVILEGES = `
  SELECT privilege || ' on firehose.' || relname
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace,
    unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
  WHERE nspname = 'firehose' AND relname = ANY (ARRAY['records', 'repos', 'dead_events', 'schema_version', 'change_feed'])
    AND (relname <> 'schema_version' OR privilege = 'SELECT')
    AND (relname <> 'change_feed' OR privilege IN ('SELECT', 'UPDATE'))
    AND NOT has_table_privilege(pg_class.oid, privilege)
  ORDER BY relname, privilege`;

/** @throws SinkError, DatabaseUrlError */
export async function examineDatabase(options: Omit<DatabaseOptions, "poolSize">): Promise<DatabaseFindings> {
  await using database = openDatabase({ ...options, poolSize: 1 });
  try {
    return await database.use([{ sql: FACTS }], async (session, [facts]) => {
      const [nowMs, canCreate, free, isReadOnly, role] = facts?.rows[0] ?? [];
      const { missingPrivileges, canCreateTables } = await lackedBy(session);
      const isBlind = missingPrivileges.some((privilege) => BLINDING.has(privilege));
      const state = isBlind ? null : await readSchemaState(session);
      const schemaVersion = state?.version ?? null;
      const isOther = state !== null && state.version !== SCHEMA_VERSION && !state.isNewerButUsable;
      return {
        nowMs: Number(nowMs),
        schemaVersion,
        neededVersion: SCHEMA_VERSION,
        mismatch: isOther ? describeMismatch(state.version) : null,
        canCreateSchema: canCreateTables ?? canCreate === "t",
        role: role ?? "the role",
        missingPrivileges,
        freeConnections: Number(free),
        isReadOnly: isReadOnly === "t",
      };
    });
  } catch (error) {
    throw toSinkError(error);
  }
}

const NO_USAGE = "USAGE on schema firehose";
/** Without these privileges the version of the schema cannot be read. */
const BLINDING: ReadonlySet<string> = new Set([NO_USAGE, "SELECT on firehose.schema_version"]);

interface Lacked {
  readonly missingPrivileges: readonly string[];
  /** null: there is no schema. */
  readonly canCreateTables: boolean | null;
}

async function lackedBy(session: Session): Promise<Lacked> {
  const [schema] = await session.run([{ sql: SCHEMA }]);
  const [hasUsage, hasCreate] = schema?.rows[0] ?? [];
  if (hasUsage === undefined) return { missingPrivileges: [], canCreateTables: null };
  const [missing] = await session.run([{ sql: PRIVILEGES }]);
  const onTables = (missing?.rows ?? []).map(([privilege]) => privilege ?? "");
  const missingPrivileges = hasUsage === "t" ? onTables : [NO_USAGE, ...onTables];
  return { missingPrivileges, canCreateTables: hasCreate === "t" };
}

export interface Unusable {
  readonly finding: string;
  /** What the operator can do about it. */
  readonly advice: string;
}

/** Why a run cannot work on this database. `doctor` and a start use the same text. null: it can. */
export function whyUnusable(found: DatabaseFindings): Unusable | null {
  const { missingPrivileges, role } = found;
  if (found.isReadOnly)
    return { finding: "it is read only", advice: "name the primary in DATABASE_URL, not a replica" };
  const [first, ...more] = missingPrivileges;
  if (first !== undefined) {
    const others = more.length === 0 ? "" : ` and ${more.length} more`;
    const tables = `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA firehose TO ${role}`;
    const advice = `GRANT USAGE ON SCHEMA firehose TO ${role}; ${tables}`;
    return { finding: `the role ${role} lacks ${first}${others}`, advice };
  }
  if (found.schemaVersion === 0 && !found.canCreateSchema)
    return {
      finding: `there is no schema firehose yet, and the role ${role} may not create it`,
      advice: `GRANT CREATE ON DATABASE … TO ${role}, or make a schema firehose that it owns`,
    };
  return null;
}
