import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, openDatabase } from "./connection.ts";
import { checkThrottleQuery, createHealthCheck, ThrottleQueryError, whyNoAnswer } from "./health.ts";
import { useServer } from "@firehose-backfill/testing/sink/server";

const server = useServer();
let database: Database;

beforeAll(async () => {
  database = openDatabase({ databaseUrl: server.databaseUrl, poolSize: 1 });
  await run("CREATE TABLE load (value numeric)");
  await run("CREATE TABLE asked (at timestamptz)");
});

afterAll(() => database[Symbol.asyncDispose]());

async function run(sql: string): Promise<readonly (readonly (string | null)[])[]> {
  return database.use([{ sql }], async (_session, [result]) => result?.rows ?? []);
}

function clockAt(nowMs: number) {
  const clock = { nowMs, now: () => clock.nowMs, sleep: async () => {} };
  return clock;
}

async function answerTo(throttleQuery: string): Promise<string> {
  const health = await createHealthCheck({ database, clock: clockAt(0), throttleQuery, statementTimeoutMs: 100 })();
  return health.kind === "healthy" ? "healthy" : health.because;
}

describe("the throttle query", () => {
  test.each([
    ["SELECT 0", "healthy"],
    ["SELECT -1.5", "healthy"],
    ["SELECT 3", "throttle query: 3 > 0"],
    ["SELECT 0.25::float8", "throttle query: 0.25 > 0"],
    ["SELECT '0'", "healthy"],
    ["SELECT 'Infinity'::float8", "throttle query: Infinity > 0"],
    ["SELECT 0, 9", "healthy"],
    ["SELECT generate_series(0, 1e9)", "healthy"],
    ["SELECT NULL", "throttle query: NULL"],
    ["SELECT sum(value) FROM load", "throttle query: NULL"],
    ["SELECT value FROM load", "throttle query: no row"],
    ["SELECT", "throttle query: no column"],
    ["SELECT true", "throttle query: true"],
    ["SELECT pg_is_in_recovery()", "healthy"],
    ["SELECT 1 > 2", "healthy"],
    ["SELECT interval '5 s'", "throttle query: not a number: 00:00:05"],
    ["SELECT ''", "throttle query: not a number: "],
    ["SELECT 'NaN'::float8", "throttle query: not a number: NaN"],
    ["SELECT 1/0", "throttle query: division by zero"],
    ["SELECT 0 FROM gone", `throttle query: relation "gone" does not exist`],
    ["SELECT 0 FROM pg_sleep(30)", "throttle query: timed out after 100 ms"],
    ["SELECT 0; SELECT 1", "throttle query: cannot insert multiple commands into a prepared statement"],
    ["DELETE FROM load RETURNING 0", "throttle query: cannot execute DELETE in a read-only transaction"],
  ])("%s: %s", async (query, answer) => {
    expect(await answerTo(query)).toBe(answer);
    // The settings do not stay on the connection.
    expect(await run("SELECT current_setting('statement_timeout'), current_setting('transaction_read_only')")).toEqual([
      ["0", "off"],
    ]);
  });

  test("is asked at most every 5 s, also by several at once, and at once when the clock went back", async () => {
    // The query may not write. The statistics of its table show how often it was run.
    const before = await scans();
    const clock = clockAt(100_000);
    const check = createHealthCheck({ database, clock, throttleQuery: "SELECT count(*) FROM asked" });
    await Promise.all([check(), check(), check()]);
    clock.nowMs += 4999;
    await check();
    expect((await scans()) - before).toBe(1);
    clock.nowMs += 1;
    await check();
    expect((await scans()) - before).toBe(2);
    clock.nowMs = 0;
    await check();
    expect((await scans()) - before).toBe(3);
  });

  async function scans(): Promise<number> {
    await run("SELECT pg_stat_force_next_flush()");
    return Number((await run("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'asked'"))[0]?.[0]);
  }

  test("none: healthy, without a connection", async () => {
    await using unreachable = openDatabase({ databaseUrl: "postgres://u@127.0.0.1:1/d", poolSize: 1 });
    const check = createHealthCheck({ database: unreachable, clock: clockAt(0), throttleQuery: null });
    expect(await check()).toEqual({ kind: "healthy" });
  });

  test("a database that is not there is not healthy", async () => {
    await using unreachable = openDatabase({ databaseUrl: "postgres://u@127.0.0.1:1/d", poolSize: 1 });
    const check = createHealthCheck({ database: unreachable, clock: clockAt(0), throttleQuery: "SELECT 0" });
    expect(await check()).toMatchObject({ kind: "unhealthy", because: expect.stringContaining("ECONNREFUSED") });
  });
});

describe("its check at the start", () => {
  const check = (throttleQuery: string) => checkThrottleQuery({ databaseUrl: server.databaseUrl, throttleQuery });

  test.each(["SELECT 0", "WITH x AS (SELECT 1) SELECT count(*) FROM x", "TABLE load", "SELECT sum(value) FROM load;"])(
    "accepts %s",
    async (query) => {
      await expect(check(query)).resolves.toBeUndefined();
    },
  );

  test.each([
    ["SELEC 0", /syntax error at or near "SELEC"/],
    ["SELECT 0 FROM gone", /relation "gone" does not exist/],
    ["SELECT 0; SELECT 1", /multiple commands/],
    ["SELECT $1::int", /requires 1/],
    ["SET work_mem = '1MB'", /gives no rows/],
    ["DELETE FROM load", /gives no rows/],
    ["SELECT", /gives no rows/],
    ["", /gives no rows/],
  ])("refuses %s", async (query, message) => {
    const checking = check(query);
    await expect(checking).rejects.toBeInstanceOf(ThrottleQueryError);
    await expect(checking).rejects.toThrow(message);
  });

  test.each([
    ["SELECT interval '5 s'", /type interval; it must give a number \(above 0: wait\) or a boolean .*extract\(epoch/],
    ["SELECT now()", /timestamp with time zone/],
    ["SELECT pg_sleep(3)", /type void/],
    ["SELECT ARRAY[1]", /integer\[\]/],
    ["SELECT '{}'::jsonb", /jsonb/],
  ])("fault 23: refuses %s, and says what it must be", async (throttleQuery, message) => {
    await expect(check(throttleQuery)).rejects.toThrow(message);
  });

  test.each(["SELECT pg_is_in_recovery()", "SELECT true", "SELECT '3'", "SELECT 3::money::numeric", "SELECT NULL"])(
    "fault 23: accepts %s",
    async (throttleQuery) => {
      await expect(check(throttleQuery)).resolves.toBeUndefined();
    },
  );

  test.each([
    ["SELECT 0", null],
    ["SELECT 3", null],
    ["SELECT true", null],
    ["SELECT pg_is_in_recovery()", null],
    ["SELECT 0 FROM pg_sleep(3)", /timed out after 2000 ms; it must give a number/],
    ["SELECT value FROM load", /no row; it must/],
    ["SELECT 'soon'", /not a number: soon; it must/],
  ])("fault 23: asked once for the doctor, %s", async (throttleQuery, problem) => {
    const found = await whyNoAnswer({ databaseUrl: server.databaseUrl, throttleQuery });
    expect(found ?? "it answers").toMatch(problem ?? /^it answers$/);
  });

  test("a database that is not there is no fault of the query", async () => {
    const checking = checkThrottleQuery({ databaseUrl: "postgres://u@127.0.0.1:1/d", throttleQuery: "SELECT 0" });
    await expect(checking).rejects.toMatchObject({ name: "SinkError", kind: "service" });
  });
});
