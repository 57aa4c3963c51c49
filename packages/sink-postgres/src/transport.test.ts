/** The ways to connect to a database: TLS by sslmode, WebSocket for Neon, and the error if no connection is possible. */
import { appendFile, chmod, chown, copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { openDatabase } from "./connection.ts";
import { ask, createDatabase, query } from "@firehose-backfill/testing/sink/rows";
import { listen, portOf } from "@firehose-backfill/testing/sink/sockets";
import { rdsToken } from "./rds-token.ts";
import { verifyConnection } from "./verify-connection.ts";

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

let folder: string;
let server: Postgres;
let databaseUrl: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sink-"));
  await (await startPostgres({ dataDir: folder, throwaway: true }))[Symbol.asyncDispose]();
  await allowTlsAndPasswords(join(folder, "data"));
  server = await startPostgres({ dataDir: folder, throwaway: true });
  await query(server.databaseUrl, "CREATE ROLE neonish LOGIN PASSWORD 'in the clear'");
  databaseUrl = await createDatabase(server.databaseUrl);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function allowTlsAndPasswords(pgData: string): Promise<void> {
  for (const name of ["localhost.crt", "localhost.key"]) {
    const path = join(pgData, name);
    await copyFile(fixture(name), path);
    // Postgres refuses a key file that others may read, and the permissions of a checked-out file depend on the umask.
    await chmod(path, 0o600);
    if (process.getuid?.() === 0) await chown(path, 65_534, 65_534);
  }
  await appendFile(
    join(pgData, "postgresql.conf"),
    "ssl = on\nssl_cert_file = 'localhost.crt'\nssl_key_file = 'localhost.key'\n",
  );
  // `token` logs in as RDS has it with IAM: over TLS, with a token in the clear.
  // `neonish` logs in as Neon's proxy has it: the password in the clear, before it is asked for.
  await writeFile(
    join(pgData, "pg_hba.conf"),
    "host all neonish 127.0.0.1/32 password\nhostssl all token 127.0.0.1/32 password\nhost all all 127.0.0.1/32 scram-sha-256\n",
  );
}

function urlWith(change: (url: URL) => void): string {
  const url = new URL(server.databaseUrl);
  change(url);
  return url.href;
}

describe("TLS, as sslmode has it", () => {
  const isEncrypted = async (query_: string, host = "localhost") => {
    const url = urlWith((it) => {
      it.hostname = host;
      it.search = query_;
    });
    await using database = openDatabase({ databaseUrl: url, poolSize: 1 });
    return ask(database, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
  };
  const ca = `sslrootcert=${encodeURIComponent(fixture("ca.crt"))}`;

  test.each([
    ["", "t"],
    ["sslmode=disable", "f"],
    ["sslmode=prefer", "t"],
    ["sslmode=require", "t"],
    [`sslmode=verify-ca&${ca}`, "t"],
    [`sslmode=verify-full&${ca}`, "t"],
  ])("%s", async (search, encrypted) => {
    expect(await isEncrypted(search)).toBe(encrypted);
  });

  test("the chain is checked from verify-ca on, the name by verify-full only", async () => {
    expect(await isEncrypted(`sslmode=verify-ca&${ca}`, "127.0.0.1")).toBe("t");
    await expect(isEncrypted(`sslmode=verify-full&${ca}`, "127.0.0.1")).rejects.toThrow(/does not match|altnames/i);
    await expect(isEncrypted("sslmode=verify-ca")).rejects.toThrow(/certificate/);
    await expect(isEncrypted(`sslmode=require&${ca}`)).resolves.toBe("t");
  });

  test.each([
    ["N", /does not support TLS, but sslmode is require/],
    ["Nmore", /more than one byte/],
    ["H", /does not answer like a Postgres/],
    ["", /closed/],
  ])("a server that answers %j", async (answer, message) => {
    await using peer = await listen((socket) => socket.on("data", () => socket.end(answer)));
    const url = `postgres://u:p@127.0.0.1:${peer.port}/d?sslmode=require`;
    await using database = openDatabase({ databaseUrl: url, poolSize: 1 });
    await expect(ask(database, "SELECT 1")).rejects.toMatchObject({ kind: "service" });
    await expect(ask(database, "SELECT 1")).rejects.toThrow(message);
  });
});

describe("IAM in the place of a password", () => {
  const CREDENTIALS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret", sessionToken: "session" };
  const userArn = "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABCDEFGHIJKL/token";
  const ca = `sslmode=verify-full&sslrootcert=${encodeURIComponent(fixture("ca.crt"))}`;
  const urlOf = (user: string, search: string) =>
    urlWith((url) => {
      Object.assign(url, { hostname: "localhost", username: user, password: "", search });
    });

  test("issue 18.4: each connection logs in with a token of its own time, made for that host, port and user", async () => {
    const port = Number(new URL(server.databaseUrl).port);
    const first = Date.parse("2026-11-28T10:00:00Z");
    const made = { host: "localhost", port, user: "token", region: "eu-central-1", credentials: CREDENTIALS };
    await query(server.databaseUrl, `CREATE ROLE token LOGIN PASSWORD '${rdsToken({ ...made, nowMs: first })}'`);
    let nowMs = first;
    const iam = { userArn, credentials: () => CREDENTIALS, now: () => nowMs };
    await using database = openDatabase({ databaseUrl: urlOf("token", ca), poolSize: 2, iam });
    expect(await ask(database, "SELECT current_user")).toBe("token");
    nowMs += 60_000;
    const second = ask(database, "SELECT pg_sleep(0.2)::text");
    await expect(ask(database, "SELECT 1")).rejects.toThrow(/password authentication failed/);
    await second;
  });

  test.each([
    ["token", "sslmode=disable", /needs TLS/],
    ["token", "", /needs TLS/],
    ["neonish", ca, /has the user neonish, but IAM allows to log in as token/],
  ])("issue 18.4: user %s with %j is refused before a token is sent", (user, search, message) => {
    const iam = { userArn, credentials: () => CREDENTIALS, now: Date.now };
    expect(() => openDatabase({ databaseUrl: urlOf(user, search), poolSize: 1, iam })).toThrow(message);
  });
});

describe("a host of Neon", () => {
  test("is reached over WebSocket, with the password sent ahead", async () => {
    await using proxy = await webSocketProxy(Number(new URL(server.databaseUrl).port));
    const url = urlWith((it) => {
      it.hostname = "ep-test.aws.neon.tech";
      it.username = "neonish";
      it.password = "in the clear";
    });
    const asked: string[] = [];
    const webSocket = class extends WebSocket {
      constructor(wanted: string) {
        asked.push(wanted);
        super(`ws://127.0.0.1:${proxy.port}`);
      }
    };
    await using database = openDatabase({ databaseUrl: url, poolSize: 1, webSocket });
    expect(await ask(database, "SELECT current_user")).toBe("neonish");
    expect(asked).toEqual(["wss://ep-test.aws.neon.tech/v2"]);
    const long = "é".repeat(300_000);
    const statement = { sql: "SELECT length($1)", values: [long] };
    expect(await database.use([statement], async (_session, [result]) => result?.rows)).toEqual([["300000"]]);
  });

  test("that cannot be reached is the service's error", async () => {
    const webSocket = class extends WebSocket {
      constructor() {
        super("ws://127.0.0.1:1");
      }
    };
    await using database = openDatabase({ databaseUrl: "postgres://u:p@x.neon.tech/d", poolSize: 1, webSocket });
    await expect(ask(database, "SELECT 1")).rejects.toMatchObject({ name: "SinkError", kind: "service" });
  });
});

describe("a look at the database before the start", () => {
  test("says what it found", async () => {
    const facts = await verifyConnection({ databaseUrl });
    expect(facts.version).toMatch(/^\d+\.\d+$/);
    expect(facts.shown).toBe(`postgres@127.0.0.1:${new URL(databaseUrl).port}/test_1`);
  });

  const wrong: readonly (readonly [string, (url: URL) => void, string, RegExp])[] = [
    ["the password", (url) => (url.password = "wrong"), "broken", /does not let postgres in: password authentication/],
    ["the database", (url) => (url.pathname = "/nowhere"), "broken", /there is no database nowhere at 127/],
    ["the port", (url) => (url.port = "1"), "service", /^cannot reach the database at .*ECONNREFUSED/],
    ["the host", (url) => (url.hostname = "nowhere.invalid"), "service", /^cannot reach the database at .*nowhere/],
  ];
  test.each(wrong)("%s is wrong", async (_name, change, kind, message) => {
    const verifying = verifyConnection({ databaseUrl: urlWith(change) });
    await expect(verifying).rejects.toMatchObject({ name: "SinkError", kind });
    await expect(verifying).rejects.toThrow(message);
    await expect(verifying).rejects.not.toThrow(/\n/);
    await expect(verifying).rejects.not.toThrow(new URL(server.databaseUrl).password);
  });

  test("refuses another encoding", async () => {
    await query(server.databaseUrl, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
    const verifying = verifyConnection({ databaseUrl: urlWith((url) => (url.pathname = "/latin")) });
    await expect(verifying).rejects.toThrow("the database latin is encoded in LATIN1; UTF8 is needed");
  });
});

/** A proxy like Neon's: a WebSocket whose binary messages are the bytes of a TCP connection. */
async function webSocketProxy(postgresPort: number): Promise<AsyncDisposable & { readonly port: number }> {
  const listener = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  listener.on("connection", (webSocket) => {
    const socket = connectTcp(postgresPort, "127.0.0.1");
    webSocket.on("message", (data) => {
      if (Buffer.isBuffer(data)) socket.write(data);
    });
    webSocket.on("close", () => socket.destroy());
    socket.on("data", (chunk) => webSocket.send(chunk));
    socket.on("close", () => webSocket.close());
    socket.on("error", () => webSocket.close());
  });
  await new Promise((resolve) => listener.once("listening", resolve));
  return {
    port: portOf(listener.address()),
    async [Symbol.asyncDispose]() {
      for (const client of listener.clients) client.terminate();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
