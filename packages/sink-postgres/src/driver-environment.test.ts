import { Client } from "@neondatabase/serverless";
import { afterEach, describe, expect, test, vi } from "vitest";
import { clientConfig, clientFor } from "./client.ts";
import { parseDatabaseUrl } from "./database-url.ts";

/** Variables that libpq, pg or Neon's driver read, each with a harmful value. */
const VARIABLES: Readonly<Record<string, string>> = {
  PGAPPNAME: "somebody-else",
  PGBINARY: "1",
  PGCHANNELBINDING: "require",
  PGCLIENTENCODING: "LATIN1",
  PGCLIENT_ENCODING: "LATIN1",
  PGCONNECT_TIMEOUT: "1",
  PGDATABASE: "other",
  PGDATESTYLE: "German",
  PGFALLBACK_APPLICATION_NAME: "somebody-else",
  PGHOST: "203.0.113.1",
  PGHOSTADDR: "203.0.113.1",
  PGIDLE_IN_TRANSACTION_SESSION_TIMEOUT: "1",
  PGLOCK_TIMEOUT: "1",
  PGOPTIONS: "-c default_transaction_read_only=on",
  PGPASSFILE: "/nonexistent",
  PGPASSWORD: "other",
  PGPORT: "1",
  PGQUERY_TIMEOUT: "1",
  PGREPLICATION: "database",
  PGREQUIRESSL: "1",
  PGSERVICE: "other",
  PGSSL: "true",
  PGSSLCERT: "/nonexistent",
  PGSSLKEY: "/nonexistent",
  PGSSLMODE: "verify-full",
  PGSSLROOTCERT: "/nonexistent",
  PGSTATEMENT_TIMEOUT: "1",
  PGTARGETSESSIONATTRS: "read-only",
  PGTZ: "Asia/Tokyo",
  PGUSER: "other",
};

const FORMS = [
  [
    "a direct socket, everything given",
    "postgres://me:pw@127.0.0.1:5433/mine?options=-csearch_path%3Dx&application_name=a",
  ],
  ["a direct socket, as little as can be", "postgres://me@h"],
  ["an empty application_name", "postgres://me@h/db?application_name="],
  ["a WebSocket", "postgres://me:pw@ep-x.eu.neon.tech/db?sslmode=require"],
] as const;

afterEach(() => vi.unstubAllEnvs());

/** All values with which the driver would connect. */
function seen(databaseUrl: string) {
  const target = parseDatabaseUrl(databaseUrl);
  const options = { target, connectTimeoutMs: 10_000 };
  const client = new (clientFor(options))(clientConfig(options));
  const field = (name: string): unknown => Reflect.get(client, name);
  const startup: unknown = Reflect.get(Client.prototype, "getStartupConf");
  if (typeof startup !== "function") throw new TypeError("the driver has no getStartupConf");
  return {
    startup: startup.call(client),
    parameters: JSON.stringify(field("connectionParameters")),
    password: field("password"),
    ...Object.fromEntries(
      ["user", "database", "host", "port", "binary", "replication", "ssl"].map((n) => [n, field(n)]),
    ),
  };
}

describe("fault 16: PG* variables never reach the driver", () => {
  test.each(FORMS)("%s", (_, databaseUrl) => {
    for (const name of Object.keys(VARIABLES)) vi.stubEnv(name, undefined);
    const without = seen(databaseUrl);
    for (const [name, value] of Object.entries(VARIABLES)) {
      vi.stubEnv(name, value);
      expect({ name, ...seen(databaseUrl) }).toEqual({ name, ...without });
    }
    expect(seen(databaseUrl)).toEqual(without);
  });

  test("the table has every variable that the driver asks for", () => {
    const asked = new Set<string>();
    const real = process.env;
    process.env = new Proxy(real, {
      get: (env, name) => {
        asked.add(String(name));
        return Reflect.get(env, name);
      },
    });
    try {
      // Nothing is given: all is looked up.
      expect(new Client({})).toBeDefined();
      for (const [, databaseUrl] of FORMS) seen(databaseUrl);
    } finally {
      process.env = real;
    }
    const ofPostgres = [...asked].filter((name) => name.startsWith("PG"));
    expect(ofPostgres).toContain("PGOPTIONS");
    expect(ofPostgres.filter((name) => !(name in VARIABLES))).toEqual([]);
  });
});
