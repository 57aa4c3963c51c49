/** What goes wrong at a start, as its user meets it: one clear message, the right exit code, no stack trace, nothing lost. */
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runProgram, startProgram, temporaryFolder, type TemporaryFolder } from "../support/program.ts";

let folder: TemporaryFolder;
let postgres: Postgres;
let env: Record<string, string>;

beforeAll(async () => {
  folder = await temporaryFolder();
  postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
  env = { RELAY_URL: "sample", DATABASE_URL: postgres.databaseUrl, BACKFILL_DATA_DIR: `${folder.path}/data` };
}, 120_000);

afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** Makes any process 60 MB larger, so that what is refused does not depend on the machine. */
const HOG = fileURLToPath(new URL("../fixtures/memory-hog.cjs", import.meta.url));

function expectClear(
  result: { readonly code: number | null; readonly stderr: string },
  code: number,
  message: string | RegExp,
) {
  expect(result.stderr).toMatch(message);
  expect(result.stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
  expect(result.code).toBe(code);
}

test("wrong and unknown settings are all told at once", async () => {
  const result = await runProgram(["run"], { ...env, BACKFILL_BATCH_SIZE: "abc", BACKFILL_X: "1" });
  expectClear(result, 2, /BACKFILL_BATCH_SIZE is "abc"; it takes a whole number from 1 to 1000/);
  expect(result.stderr).toContain("BACKFILL_X is not a setting");
});

test("a limit of memory below what the process holds before it has done anything", async () => {
  const result = await runProgram(["run"], { ...env, BACKFILL_MAX_MEMORY_MB: "128", NODE_OPTIONS: "--require=" + HOG });
  expectClear(result, 2, /BACKFILL_MAX_MEMORY_MB is 128, but this process holds \d+ MB/);
}, 60_000);

test("an unreachable relay", async () => {
  const result = await runProgram(["run", "--until-done"], {
    ...env,
    RELAY_URL: "ws://127.0.0.1:9",
    BACKFILL_DATA_DIR: `${folder.path}/relay`,
  });
  expectClear(result, 1, /relay unreachable: .*ECONNREFUSED/);
}, 60_000);

test("a wrong database password, never shown", async () => {
  const url = new URL(postgres.databaseUrl);
  url.password = "not-the-password";
  const result = await runProgram(["run"], {
    ...env,
    DATABASE_URL: url.href,
    BACKFILL_DATA_DIR: `${folder.path}/password`,
  });
  expectClear(result, 1, /does not let postgres in: password authentication failed/);
  expect(result.stderr).not.toContain("not-the-password");
}, 60_000);

test("a throttle query that cannot work", async () => {
  const result = await runProgram(["run"], {
    ...env,
    BACKFILL_THROTTLE_QUERY: "select lag from nowhere",
    BACKFILL_DATA_DIR: `${folder.path}/query`,
  });
  expectClear(result, 2, /BACKFILL_THROTTLE_QUERY: .*nowhere/);
}, 60_000);

test("a port that is in use", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => {
    other.listen(0, "127.0.0.1", resolve);
  });
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const result = await runProgram(["run"], { ...env, PORT: String(port), BACKFILL_DATA_DIR: `${folder.path}/port` });
  expectClear(result, 1, `port ${port} is in use`);
  other.close();
}, 60_000);

test("a second start, a tune by a start, and another scope", async () => {
  const first = startProgram(["run"], env);
  await first.said("Status page");
  const second = await runProgram(["run"], env);
  expectClear(second, 1, new RegExp(`already running, pid ${first.pid}, http://127.0.0.1:\\d+`));

  first.child.kill("SIGTERM");
  expect(await first.exited).toBe(143);

  const scope = await runProgram(["run"], { ...env, BACKFILL_COLLECTIONS: "app.bsky.feed.post" });
  expectClear(scope, 2, /BACKFILL_COLLECTIONS is app\.bsky\.feed\.post, but run \S+ is not finished and has all/);
  expect(scope.stderr).toContain("unset BACKFILL_COLLECTIONS");
  expect(scope.stderr).toContain("start --new");

  const tuned = await runProgram(["run", "--until-done"], { ...env, BACKFILL_PROFILE: "fast" });
  expect(tuned.stderr).toContain("BACKFILL_BATCH_SIZE 5 -> 50");
  expect(tuned.stderr).toContain("goes on, running");
  expect(tuned.stderr).toMatch(/Progress: 300 received, 300 processed, 0 skipped/);
  expect(tuned.code).toBe(0);
}, 180_000);
