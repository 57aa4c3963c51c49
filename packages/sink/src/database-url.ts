/**
 * DATABASE_URL taken apart: where to connect, by which transport, with what TLS. Everything the driver is given comes
 * from here, because what is left out it would look up in PG* variables of the environment.
 */

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
  /** For messages: no password. */
  readonly shown: string;
}

/** The URL cannot be used. The message never holds the URL itself: it may hold a password. */
export class DatabaseUrlError extends Error {
  override readonly name = "DatabaseUrlError";
  isRetryable(): boolean {
    return false;
  }
}

const DEFAULT_PORT = 5432;

/** @throws DatabaseUrlError */
export function parseDatabaseUrl(databaseUrl: string): DatabaseTarget {
  const url = parseUrl(databaseUrl);
  const query = url.searchParams;
  const host = query.get("host") ?? decode(url.hostname).replace(/^\[(.*)\]$/, "$1");
  if (host === "") throw new DatabaseUrlError("DATABASE_URL names no host");
  const user = decode(url.username) || (query.get("user") ?? "");
  if (user === "") throw new DatabaseUrlError("DATABASE_URL names no user");
  const database = decode(url.pathname.slice(1)) || (query.get("dbname") ?? user);
  const port = Number(query.get("port") ?? (url.port === "" ? DEFAULT_PORT : url.port));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new DatabaseUrlError("the port in DATABASE_URL must be a number from 1 to 65535");
  }
  const rootCert = query.get("sslrootcert");
  return {
    transport: host.toLowerCase().endsWith(".neon.tech") ? "websocket" : "socket",
    host,
    port,
    user,
    password: decode(url.password) || (query.get("password") ?? ""),
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

/** host:port/database: what a database is called in messages, without a user. */
export function nameOf({ host, port, database }: DatabaseTarget): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}/${database}`;
}

function parseUrl(databaseUrl: string): URL {
  const text = databaseUrl.trim();
  if (!/^postgres(ql)?:\/\//i.test(text)) {
    throw new DatabaseUrlError("DATABASE_URL must look like postgres://user:password@host:5432/database");
  }
  try {
    return new URL(text);
  } catch (error) {
    throw new DatabaseUrlError(
      "DATABASE_URL is not a valid URL (special characters in the password must be %-encoded)",
      { cause: error },
    );
  }
}

function parseSslMode(query: URLSearchParams, rootCert: string | null): SslMode {
  const text = query.get("sslmode") ?? (query.get("ssl") === "true" ? "require" : "prefer");
  const mode = SSL_MODES.find((known) => known === text);
  if (mode === undefined) {
    throw new DatabaseUrlError(`sslmode in DATABASE_URL is ${JSON.stringify(text)}; it takes ${SSL_MODES.join(", ")}`);
  }
  // As libpq has it: whoever names a root certificate with `require` wants it checked.
  return mode === "require" && rootCert !== null ? "verify-ca" : mode;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new DatabaseUrlError("DATABASE_URL holds a % that is not followed by two hexadecimal digits", {
      cause: error,
    });
  }
}
