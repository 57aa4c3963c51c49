/** DATABASE_URL: checks its form, and shows it without its password and its parameters. */
import { escapeForLog } from "../log-lines.ts";
import { type Kind, type Parsed } from "./kinds.ts";
import { type PostgresUrl, readPostgresUrl } from "./postgres-url.ts";

export const databaseUrl: Kind<string> = {
  takes: "postgres://user:password@host[:port]/database, with any of % @ / ? # in user or password %-encoded",
  parse: parseDatabaseUrl,
  show: redact,
  showHeld: redact,
};

function parseDatabaseUrl(text: string): Parsed<string> {
  return readDatabaseUrl(text) === null ? { problem: "not a URL of Postgres" } : { value: text };
}

/** null: the text cannot be parsed with certainty. Then no part of it may be shown, because any part may be a password. */
function readDatabaseUrl(text: string): PostgresUrl | null {
  const read = readPostgresUrl(text);
  if (read.kind === "problem") return null;
  const { url } = read;
  const isUnderstood = /^\d*$/.test(url.port) && hostOf(url) !== "";
  return isUnderstood ? url : null;
}

function hostOf({ host, params }: PostgresUrl): string {
  return params.get("host") ?? host;
}

/** `user@host/database`, the port where one is given. */
function redact(text: string): string {
  const url = readDatabaseUrl(text);
  if (url === null) return "(not shown: it may hold a password)";
  const user = url.user === "" ? "" : `${url.user}@`;
  const host = hostOf(url);
  const port = url.port === "" ? "" : `:${url.port}`;
  const database = url.database === "" ? "" : `/${url.database}`;
  return escapeForLog(`${user}${host.includes(":") ? `[${host}]` : host}${port}${database}`);
}
