/** The doctor on real services, healthy and broken: what it finds, and that it changes nothing without --fix. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newRun } from "@firehose-backfill/backfill/new-run";
import { createDynamoClient } from "@firehose-backfill/checkpoint/dynamo-client";
import { createDynamoStore } from "@firehose-backfill/checkpoint/dynamo-store";
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { type EmbeddedStack, startEmbedded } from "@firehose-backfill/embedded/stack";
import { openDatabase } from "@firehose-backfill/sink-postgres/connection";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { Settings } from "@firehose-backfill/core/config/settings";
import { cursorAt } from "@firehose-backfill/source/cursor";
import { isolated } from "./check.ts";
import { checkClock } from "./check-clock.ts";
import { checkDataDir, checkMemory, checkNode, checkPort } from "./check-machine.ts";
import { type DoctorOptions, examine } from "./examine.ts";
import { tombstoneBound } from "./tombstone-bound.ts";

const GIB = 1024 ** 3;

describe("the doctor", () => {
  let folder: string;
  let stack: EmbeddedStack;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "firehose-backfill-doctor-"));
    stack = await startEmbedded({
      dataDir: folder,
      need: { queue: true, table: true, postgres: true, relay: true },
    });
    vi.stubEnv("AWS_ENDPOINT_URL_SQS", stack.queue?.endpoint ?? "");
    vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", stack.table?.endpoint ?? "");
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) vi.stubEnv(name, "standin");
    vi.stubEnv("AWS_REGION", "us-east-1");
  }, 60_000);

  afterAll(async () => {
    vi.unstubAllEnvs();
    await stack[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const healthy = () => ({
    RELAY_URL: stack.relay?.url ?? "",
    DATABASE_URL: stack.postgres?.databaseUrl ?? "",
    BACKFILL_QUEUE_URL: stack.queue?.queueUrl ?? "",
    BACKFILL_DLQ_URL: stack.queue?.dlqUrl ?? "",
    BACKFILL_TABLE: stack.table?.table ?? "",
    BACKFILL_DATA_DIR: join(folder, "none", "yet"),
    PORT: "0",
  });

  async function ask(different: Readonly<Record<string, string>> = {}, fix = false, indexes: readonly string[] = []) {
    const checks = await examine({
      config: parseConfig({ ...healthy(), ...different }),
      clock: systemClock,
      fetch,
      fix,
      indexes,
      process: { version: "24.1.0", canCollect: true, rssBytes: 1, constrainedBytes: 0 },
      signal: AbortSignal.timeout(30_000),
      relayListenMs: 200,
    });
    return new Map(checks.map((check) => [check.name, check]));
  }

  test("finds nothing to fail on a healthy stack; a quiet relay is told; nothing was made", async () => {
    const checks = await ask();
    const odd = [...checks.values()].filter(({ verdict }) => verdict !== "ok").map(({ name }) => name);
    // The sample relay sends nothing live, and fauxqs hides a message for ten seconds.
    expect(odd.toSorted()).toEqual(["queue", "relay"]);
    expect(checks.get("schema")?.finding).toBe("none yet: the first start makes it");
    expect(checks.get("clock")?.finding).toMatch(/^0\.\d s (behind|ahead of) the database's$/);
    expect((await ask()).get("schema")?.finding).toContain("none yet");
  });

  test("--fix makes the schema", async () => {
    const fixed = await ask({}, true);
    expect(fixed.get("fixed")).toMatchObject({ verdict: "ok", finding: expect.stringContaining("from version 0 to") });
    expect(fixed.get("schema")?.finding).toMatch(/^version \d+$/);
    expect((await ask({}, true)).get("fixed")?.finding).toContain("0 tombstones");
  });

  test("issue 17.7: --indexes makes a set, leaves it as it is the second time, and names the sets that there are", async () => {
    const made = (await ask({}, true, ["likes", "uri"])).get("indexes");
    expect(made).toMatchObject({
      verdict: "ok",
      finding: "made records_likes, records_reposts, records_quotes, records_uri",
    });
    const again = (await ask({}, false, ["likes"])).get("indexes");
    expect(again?.finding).toBe("there already: records_likes, records_reposts, records_quotes");
    await expect(ask({}, false, ["likez"])).rejects.toThrow('"likez"; it takes some of: uri, likes, threads, accounts');
    const nowhere = await ask({ DATABASE_URL: "" }, false, ["likes"]);
    expect(nowhere.get("indexes")).toMatchObject({ verdict: "fail", advice: expect.stringContaining("DATABASE_URL") });
  });

  test("issue 17.9: --fix makes the index of the change feed where a migration of large tables left it out", async () => {
    await ask({}, true);
    await using database = openDatabase({ databaseUrl: stack.postgres?.databaseUrl ?? "", poolSize: 1 });
    const run = (sql: string) => database.use([{ sql }], async (_session, [result]) => result?.rows);
    await run("DROP INDEX firehose.records_xid");
    await ask({}, true);
    expect(await run("SELECT to_regclass('firehose.records_xid')::text")).toEqual([["firehose.records_xid"]]);
  });

  test("--fix removes old tombstones: below the applied cursor of an open run, all when none is open", async () => {
    await ask({}, true);
    const databaseUrl = stack.postgres?.databaseUrl ?? "";
    await using database = openDatabase({ databaseUrl, poolSize: 1 });
    const query = (sql: string) => database.use([{ sql }], async (_session, [result]) => result?.rows.flat() ?? []);
    await query(`INSERT INTO firehose.records (did, collection, rkey, rev, seq, indexed_at)
      SELECT 'did:plc:a', 'a.b.c', 'k' || n, '3a', n, now() - interval '40 days' FROM generate_series(1, 4) AS n`);
    const left = () => query("SELECT seq FROM firehose.records ORDER BY 1");
    const client = createDynamoClient({ endpoint: null });
    const store = createDynamoStore({ client, table: stack.table?.table ?? "" });
    await store.createRun(newRun(parseConfig(healthy()), { runId: "open", nowMs: Date.now() }));
    expect((await ask({}, true)).get("fixed")?.finding).toContain("0 tombstones older than 30 days below the applied");

    const cursor = cursorAt(3, 1);
    const chosen = { generationBefore: 1, cursor, start: { kind: "seq", seq: 3 }, nowMs: 1 } as const;
    await store.newGeneration("open", chosen);
    expect((await ask({}, true)).get("fixed")?.finding).toContain("2 tombstones");
    expect(await left()).toEqual(["3", "4"]);
    await store.transition("open", ["enqueued"], "cancelling", {});
    await store.transition("open", ["cancelling"], "cancelled", { finishedAtMs: 1 });
    expect((await ask({}, true)).get("fixed")?.finding).toContain("2 tombstones");
    expect(await left()).toEqual([]);
    client.destroy();
  });

  test("without a table, what a local process left in its folder says how far; where nothing does, they stay", async () => {
    const dataDir = join(folder, "left");
    await mkdir(dataDir);
    const bound = () => tombstoneBound({ table: null, dataDir });
    expect(await bound()).toMatchObject({ kind: "none" });
    const leave = (status: string, applied: object | null) =>
      writeFile(join(dataDir, "snapshot.json"), JSON.stringify({ status, cursor: { applied } }));
    await leave("paused", { seq: 7, time: "" });
    expect(await bound()).toEqual({ kind: "below", seq: 7 });
    await leave("running", null);
    expect(await bound()).toEqual({ kind: "below", seq: 0 });
    await leave("succeeded", { seq: 7, time: "" });
    expect(await bound()).toEqual({ kind: "below", seq: null });
  });

  test.each([
    ["database", { DATABASE_URL: "postgres://a:secret@127.0.0.1:1/x" }, /cannot reach the database at a@127/],
    ["relay", { RELAY_URL: "ws://127.0.0.1:1" }, /ECONNREFUSED/],
    ["table", { BACKFILL_TABLE: "not-there" }, /./],
    ["queue", { BACKFILL_QUEUE_URL: "http://127.0.0.1:1/q/not-there" }, /./],
    ["queue", { BACKFILL_DLQ_URL: "" }, /only one of/],
    ["throttle query", { BACKFILL_THROTTLE_QUERY: "SELECT x FROM nowhere" }, /nowhere/],
  ])("a broken %s fails, with what to do", async (name, different: Readonly<Record<string, string>>, finding) => {
    const check = (await ask(different)).get(name);
    expect(check).toMatchObject({ verdict: "fail", finding: expect.stringMatching(finding) });
    expect(check?.advice).toMatch(/\w/);
    expect(JSON.stringify(check)).not.toContain("secret");
  });
});

describe("fault 19: if one check throws, the others still run", () => {
  const thrown: typeof fetch = () => Promise.reject(new Error("boom"));

  test("it is a failing line of its own", async () => {
    expect(await isolated("table", () => Promise.reject(new Error("boom")))).toMatchObject({
      name: "table",
      verdict: "fail",
      finding: "Error: boom",
    });
    expect(await isolated("table", () => ({ name: "table", verdict: "ok", finding: "x", advice: null }))).toMatchObject(
      {
        verdict: "ok",
      },
    );
  });

  test.each([
    ["a clock that says nothing", { clock: { ...systemClock, now: () => Number.NaN } }, []],
    ["a data folder that is a file", { dataDir: "/proc/version" }, ["data folder"]],
    ["a database that is none", { databaseUrl: "postgres://a:b@127.0.0.1:1/x" }, ["database"]],
    [
      "all of the services gone",
      { queueUrl: "http://127.0.0.1:1/q", dlqUrl: "http://127.0.0.1:1/d" },
      ["queue", "dead letters"],
    ],
  ])("%s: the list is whole", async (_, different, failing: readonly string[]) => {
    const { clock = systemClock, ...settings } = { ...different } as Partial<DoctorOptions> & Partial<Settings>;
    const config = parseConfig({ RELAY_URL: "ws://127.0.0.1:1", PORT: "0" });
    vi.stubEnv("AWS_MAX_ATTEMPTS", "1");
    const checks = await examine({
      config: { ...config, settings: { ...config.settings, ...settings } },
      clock,
      fetch: thrown,
      fix: false,
      process: { version: "24.1.0", canCollect: true, rssBytes: 1, constrainedBytes: 0 },
      signal: AbortSignal.timeout(30_000),
      relayListenMs: 10,
    });
    vi.unstubAllEnvs();
    const names = checks.map(({ name }) => name);
    for (const name of ["node", "relay", "database", "clock", "data folder", "memory", "process", "queue", "table"])
      expect(names).toContain(name);
    expect(checks.filter(({ verdict }) => verdict === "fail").map(({ name }) => name)).toEqual(
      expect.arrayContaining(["relay", ...failing]),
    );
    expect(JSON.parse(JSON.stringify(checks))).toEqual(checks);
  });
});

describe("the machine", () => {
  afterEach(() => vi.unstubAllEnvs());

  test("Node", () => {
    expect(checkNode("20.1.0", true).verdict).toBe("fail");
    expect(checkNode("24.0.0", false).verdict).toBe("warn");
    expect(checkNode("24.0.0", true).verdict).toBe("ok");
  });

  test("memory: a limit below what is held, and one above what there is", () => {
    expect(checkMemory({ maxMemoryMb: 128 }, { rssBytes: GIB, constrainedBytes: 0 }).verdict).toBe("fail");
    expect(checkMemory({ maxMemoryMb: 512 }, { rssBytes: 1, constrainedBytes: GIB / 2 }).verdict).toBe("warn");
    expect(checkMemory({ maxMemoryMb: 256 }, { rssBytes: 1, constrainedBytes: GIB }).verdict).toBe("ok");
  });

  test("a folder that is not there yet, and one that cannot be", async () => {
    expect(await checkDataDir(join(tmpdir(), "a", "b"))).toMatchObject({ name: "data folder", advice: null });
    expect((await checkDataDir("/proc/1/x")).verdict).toBe("fail");
  });

  test("a port that is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    expect(await checkPort({ port, dataDir: join(tmpdir(), "none") })).toMatchObject({ verdict: "fail" });
    server.close();
  });

  test("the clock, by the surest of the others", () => {
    const sure = { name: "database", theirsMs: 0, oursMs: 400_000, toleranceMs: 1 };
    const vague = { name: "relay", theirsMs: 0, oursMs: 0, toleranceMs: 1_000 };
    expect(checkClock([vague, sure])).toMatchObject({ verdict: "fail", finding: "400.0 s ahead of the database's" });
    expect(checkClock([{ ...sure, oursMs: -9_000 }])).toMatchObject({ verdict: "warn" });
    expect(checkClock([vague]).verdict).toBe("ok");
    expect(checkClock([]).verdict).toBe("ok");
  });
});
