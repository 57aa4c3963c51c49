/**
 * Parses DATABASE_URL: where to connect, by which transport, with what TLS. The driver gets all values from
 * here, because it would read missing ones from PG* variables of the environment.
 */
import { readPostgresUrl } from "@firehose-backfill/core/config/postgres-url";
import { ConfigError } from "@firehose-backfill/core/errors";

export const SSL_MODES = ["disable", "prefer", "require", "verify-ca", "verify-full"] as const;
export type SslMode = (typeof SSL_MODES)[number];

export interface DatabaseTarget {
  /** Hosts of Neon are reached over WebSocket, all others directly. */
  readonly transport: "websocket" | "socket";
  /** A host name, an address without brackets, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly sslMode: SslMode;
  /** A file of certificates in PEM; null: Node's own list. */
  readonly sslRootCert: string | null;
  readonly sslCert: string | null;
  readonly sslKey: string | null;
  /** The startup packet's `options`. */
  readonly options: string | null;
  readonly applicationName: string;
  /** For messages, without the password. */
  readonly shown: string;
}

/** The URL cannot be used: a configuration error. The message never contains the URL, which may contain a password. */
export class DatabaseUrlError extends ConfigError {
  override readonly name = "DatabaseUrlError";

  constructor(problem: string) {
    super([problem]);
  }
}

const DEFAULT_PORT = 5432;

/** @throws DatabaseUrlError */
export function parseDatabaseUrl(databaseUrl: string): DatabaseTarget {
  const read = readPostgresUrl(databaseUrl);
  if (read.kind === "problem") throw new DatabaseUrlError(`DATABASE_URL ${read.problem}`);
  const { url } = read;
  const query = { get: (name: string) => url.params.get(name) ?? null };
  const host = query.get("host") ?? url.host;
  if (host === "")
    throw new DatabaseUrlError(
      "DATABASE_URL names no host; for a Unix socket: postgres://user@/database?host=/var/run/postgresql",
    );
  if (host.includes(","))
    throw new DatabaseUrlError("DATABASE_URL names several hosts; name one, the primary or a pooler");
  const user = url.user || (query.get("user") ?? "");
  if (user === "") throw new DatabaseUrlError("DATABASE_URL names no user: postgres://user:password@host/database");
  const database = url.database || (query.get("dbname") ?? user);
  const givenPort = query.get("port") ?? url.port;
  const port = Number(givenPort === "" ? DEFAULT_PORT : givenPort);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new DatabaseUrlError(
      "the port in DATABASE_URL must be a number from 1 to 65535 (or the password before it holds a raw @, / or ?: %-encode it)",
    );
  }
  const rootCert = query.get("sslrootcert");
  return {
    transport: host.toLowerCase().endsWith(".neon.tech") ? "websocket" : "socket",
    host,
    port,
    user,
    password: url.password || (query.get("password") ?? ""),
    database,
    sslMode: parseSslMode(query, rootCert),
    sslRootCert: rootCert === "system" ? null : rootCert,
    sslCert: query.get("sslcert"),
    sslKey: query.get("sslkey"),
    options: query.get("options"),
    applicationName: query.get("application_name") ?? "firehose-backfill",
    shown: `${user}@${host.includes(":") ? `[${host}]` : host}:${port}/${database}`,
  };
}

/** host:port/database: the name of a database in messages, without the user. */
export function nameOf({ host, port, database }: DatabaseTarget): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}/${database}`;
}

function parseSslMode(query: { readonly get: (name: string) => string | null }, rootCert: string | null): SslMode {
  const text = query.get("sslmode") ?? (query.get("ssl") === "true" ? "require" : "prefer");
  // libpq's `allow` tries without TLS first; the result is the same.
  const mode = text === "allow" ? "prefer" : SSL_MODES.find((known) => known === text);
  if (mode === undefined) {
    const hint = text === "no-verify" ? "; what others call no-verify is require" : "";
    throw new DatabaseUrlError(
      `sslmode in DATABASE_URL is ${JSON.stringify(text)}; it takes ${SSL_MODES.join(", ")}${hint}`,
    );
  }
  // Like libpq: a root certificate together with `require` means that the certificate is checked.
  return mode === "require" && rootCert !== null ? "verify-ca" : mode;
}
