/** Connections that fail in every possible way. Errors are classified, nothing crashes, and the pool recovers. */
import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openDatabase } from "./connection.ts";
import { ask, createDatabase, query, recordRow, request, testSink } from "@firehose-backfill/testing/sink/rows";
import { listen } from "@firehose-backfill/testing/sink/sockets";

let folder: string;
let server: Postgres;
let databaseUrl: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sink-"));
  server = await startPostgres({ dataDir: folder, throwaway: true });
  databaseUrl = await createDatabase(server.databaseUrl);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function eventually(what: () => Promise<void>): Promise<void> {
  await vi.waitFor(what, { timeout: 10_000, interval: 20 });
}
describe("the pool", () => {
  test("never has more connections than its size, and closes those that nobody needs", async () => {
    await using observer = openDatabase({ databaseUrl: server.databaseUrl, poolSize: 1 });
    const url = `${databaseUrl}&application_name=counted`;
    await using sink = testSink(url, { poolSize: 3, idleTimeoutMs: 50, throttleQuery: "SELECT 0" });
    const connections = async () =>
      Number(await ask(observer, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'counted'"));
    let most = 0;
    const work = Array.from({ length: 60 }, async (_, n) => {
      await sink.health();
      await sink.apply(...request([recordRow(n)], { lock: { maxConcurrent: 100 } }));
      most = Math.max(most, await connections(), sink.pool().used);
    });
    await Promise.all(work);
    expect(most).toBe(3);
    await eventually(async () => expect(await connections()).toBe(0));
    await eventually(async () => expect(sink.pool()).toEqual({ used: 0, size: 3 }));
  });

  test("replaces connections that died while they lay idle, without an error", async () => {
    await using sink = testSink(databaseUrl, { poolSize: 2 });
    await Promise.all([1, 2].map((n) => sink.apply(...request([recordRow(n)]))));
    // The situation after a freeze: the sockets are dead, but this process does not know it yet.
    const terminate =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'test_1' AND pid <> pg_backend_pid()";
    await query(server.databaseUrl, terminate);
    expect(await sink.apply(...request([recordRow(3)]))).toMatchObject({ kind: "applied" });
  });

  test("a connection that is cut in the middle of a batch is the service's error, once", async () => {
    await using sink = testSink(databaseUrl, { poolSize: 1 });
    await using holder = openDatabase({ databaseUrl, poolSize: 1 });
    await sink.apply(...request([recordRow(1)]));
    await holder.use([{ sql: "BEGIN" }, { sql: "SELECT 1 FROM firehose.repos FOR UPDATE" }], async (session) => {
      const outcome = sink.apply(...request([recordRow(9)])).catch((error: unknown) => error);
      await eventually(async () => {
        const waiting = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = 'test_1' AND wait_event_type = 'Lock'`;
        expect(await query(server.databaseUrl, waiting)).toHaveLength(1);
      });
      expect(await outcome).toMatchObject({ name: "SinkError", kind: "service", sqlState: "57P01" });
      await session.run([{ sql: "ROLLBACK" }]);
    });
    expect(await sink.apply(...request([recordRow(9)]))).toMatchObject({ kind: "applied" });
  });

  test("a peer that never answers is given up", async () => {
    await using peer = await listen(() => {});
    const url = `postgres://u:p@127.0.0.1:${peer.port}/d?sslmode=disable`;
    await using database = openDatabase({ databaseUrl: url, poolSize: 1, connectTimeoutMs: 50 });
    await expect(ask(database, "SELECT 1")).rejects.toMatchObject({ kind: "service" });
  });

  test("issue 18.3: connections that were forgotten while they lay idle cost one short wait, not one each", async () => {
    const forgotten = new Set<() => void>();
    await using line = await listen((near) => {
      const far = connectTcp(Number(new URL(databaseUrl).port), "127.0.0.1");
      far.on("error", () => near.destroy()).pipe(near);
      near.on("close", () => far.destroy()).pipe(far);
      // The connection is neither closed nor answered; received data is discarded.
      forgotten.add(() => {
        far.unpipe(near);
        near.unpipe(far);
        near.resume();
      });
    });
    const url = new URL(databaseUrl);
    url.port = String(line.port);
    await using database = openDatabase({ databaseUrl: url.href, poolSize: 3, firstAnswerMs: 300 });
    await Promise.all([1, 2, 3].map(() => ask(database, "SELECT pg_sleep(0.2)")));
    expect(forgotten.size).toBe(3);
    for (const forget of forgotten) forget();
    const beganAt = performance.now();
    expect(await database.use([{ sql: "SELECT 7" }], async (_, [first]) => first?.rows[0]?.[0])).toBe("7");
    // One wait of 300 ms, and for each connection the half second after which a closed socket is destroyed.
    expect(performance.now() - beganAt).toBeLessThan(300 + 3 * 500 + 700);
    expect(forgotten.size).toBe(4);
  });

  test("a server that goes silent in the middle is given up", async () => {
    await using database = openDatabase({ databaseUrl, poolSize: 1, roundTripTimeoutMs: 100 });
    await database.use([{ sql: "SELECT 1" }], async () => {});
    expect(database.pool().used).toBe(1);
    await expect(ask(database, "SELECT pg_sleep(30)")).rejects.toMatchObject({ kind: "service", sqlState: null });
    expect(database.pool().used).toBe(0);
    expect(await ask(database, "SELECT 1")).toBe("1");
    expect(database.pool().used).toBe(1);
  });
});

/** This test must be the last one, because it stops the server of this file. */
test("a server that stops and comes back under a live pool", async () => {
  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  await using sink = testSink(databaseUrl, { poolSize: 3, throttleQuery: "SELECT 0", log });
  await Promise.all([1, 2, 3].map((n) => sink.apply(...request([recordRow(n)], { lock: { maxConcurrent: 3 } }))));
  const sleeping = sink.database.use([], (session) => session.run([{ sql: "SELECT pg_sleep(30)" }]));
  const outcome = sleeping.catch((error: unknown) => error);
  await server[Symbol.asyncDispose]();
  expect(await outcome).toMatchObject({ sqlState: "57P01" });
  await eventually(async () => expect(lines.length).toBeGreaterThan(0));
  await expect(sink.apply(...request([recordRow(4)]))).rejects.toMatchObject({ name: "SinkError", kind: "service" });
  expect(await sink.health()).toMatchObject({ kind: "unhealthy" });
  server = await startPostgres({ dataDir: folder, throwaway: true });
  // The server has another port now. For the pool it only matters that something answers on the old one.
  const relayed = (socket: Socket) => {
    const upstream = connectTcp(Number(new URL(server.databaseUrl).port), "127.0.0.1");
    socket.on("error", () => upstream.destroy()).pipe(upstream);
    upstream.on("error", () => socket.destroy()).pipe(socket);
  };
  await using relay = await listen(relayed, Number(new URL(databaseUrl).port));
  expect(relay.port).toBe(Number(new URL(databaseUrl).port));
  expect(await sink.apply(...request([recordRow(99)]))).toMatchObject({ kind: "applied", counts: { applied: 1 } });
});
