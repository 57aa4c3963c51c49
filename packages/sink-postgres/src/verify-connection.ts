/** Checks whether a database can be used. Its errors are one line that tells the operator what to do. */
import { type DatabaseOptions, openDatabase } from "./connection.ts";
import type { DatabaseTarget } from "./database-url.ts";
import { PostgresError, toSinkError } from "./sink-error.ts";

export interface ServerFacts {
  /** `18.4` */
  readonly version: string;
  /** user@host:port/database */
  readonly shown: string;
}

const OLDEST_MAJOR = 15;

const FACTS =
  "SELECT current_setting('server_version_num'), current_setting('server_version'), current_setting('server_encoding')";

/**
 * Connects and checks. The messages of its errors are one line and contain no password.
 * @throws DatabaseUrlError; SinkError (`service` if the database cannot be reached, `broken` if it cannot be used)
 */
export async function verifyConnection(options: Omit<DatabaseOptions, "poolSize">): Promise<ServerFacts> {
  await using database = openDatabase({ ...options, poolSize: 1 });
  const { target } = database;
  let facts: readonly (string | null)[];
  try {
    facts = await database.use([{ sql: FACTS }], async (_session, [result]) => result?.rows[0] ?? []);
  } catch (error) {
    throw explain(toSinkError(error), target);
  }
  const [number, version, encoding] = facts;
  const major = Math.floor(Number(number) / 10_000);
  if (!(major >= OLDEST_MAJOR)) {
    throw new PostgresError(`${target.shown} is Postgres ${version}; ${OLDEST_MAJOR} or newer is needed`, {
      kind: "broken",
    });
  }
  if (encoding !== "UTF8") {
    throw new PostgresError(`the database ${target.database} is encoded in ${encoding}; UTF8 is needed`, {
      kind: "broken",
    });
  }
  return { version: (version ?? "").split(" ")[0] ?? "", shown: target.shown };
}

function explain(error: PostgresError, target: DatabaseTarget): PostgresError {
  const line = error.message.split("\n")[0] ?? "";
  return new PostgresError(
    `${what(error, target)}: ${line}`,
    { kind: error.kind, sqlState: error.sqlState },
    { cause: error },
  );
}

function what({ sqlState }: PostgresError, target: DatabaseTarget): string {
  if (sqlState === null) return `cannot reach the database at ${target.shown}`;
  if (sqlState.startsWith("28")) return `the database at ${target.host}:${target.port} does not let ${target.user} in`;
  if (sqlState.startsWith("3D")) return `there is no database ${target.database} at ${target.host}:${target.port}`;
  return `the database at ${target.shown} cannot be used`;
}
