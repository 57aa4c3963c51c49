/** What goes wrong with the database's address, as the user of the program meets it. */
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runProgram, startProgram, temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { openTestDatabase, type TestDatabase } from "../support/query.ts";

let folder: TemporaryFolder;
let postgres: Postgres;
let admin: TestDatabase;

beforeAll(async () => {
  folder = await temporaryFolder();
  postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
  admin = await openTestDatabase(postgres.databaseUrl);
}, 120_000);

afterAll(async () => {
  await admin[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function urlOf(name: string): string {
  const url = new URL(postgres.databaseUrl);
  url.pathname = `/${name}`;
  return url.href;
}

test("fault 14: a run is not gone on with in another database, which is left as it was", async () => {
  await admin.query("CREATE DATABASE first", []);
  await admin.query("CREATE DATABASE second", []);
  const env = { RELAY_URL: "sample", BACKFILL_DATA_DIR: `${folder.path}/bound`, BACKFILL_BATCH_DELAY_MS: "60000" };
  const program = startProgram(["run"], { ...env, DATABASE_URL: urlOf("first") });
  await program.said("Status page");
  program.child.kill("SIGTERM");
  expect(await program.exited).toBe(143);

  const refused = await runProgram(["run"], { ...env, DATABASE_URL: urlOf("second") });
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(
    /DATABASE_URL is 127\.0\.0\.1:\d+\/second, and run \S+ writes to 127\.0\.0\.1:\d+\/first/,
  );
  expect(refused.stderr).toMatch(/set DATABASE_URL back to .*start --new/);
  expect(refused.stderr).not.toContain(new URL(postgres.databaseUrl).password);
  await using second = await openTestDatabase(urlOf("second"));
  expect(await second.query("SELECT to_regnamespace('firehose')::text AS schema", [])).toEqual([{ schema: null }]);

  // The same database by another name is the same.
  const renamed = new URL(urlOf("first"));
  renamed.hostname = "localhost";
  const again = startProgram(["run"], { ...env, DATABASE_URL: renamed.href });
  await again.said("Status page");
  again.child.kill("SIGTERM");
  expect(await again.exited).toBe(143);

  // The schema dropped between two starts: its rows are gone, and a run does not go on as if they were there.
  await using first = await openTestDatabase(urlOf("first"));
  await first.query("DROP SCHEMA firehose CASCADE", []);
  const gone = await runProgram(["run"], { ...env, DATABASE_URL: urlOf("first") });
  expect(gone.code).toBe(2);
  expect(gone.stderr).toMatch(
    /first is not the database that it was when run \S+ began: its schema "firehose" was dropped/,
  );

  const anew = startProgram(["start", "--new"], { ...env, DATABASE_URL: urlOf("second") });
  await anew.said("Status page");
  anew.child.kill("SIGTERM");
  expect(await anew.exited).toBe(143);
}, 180_000);

test.each([
  ["postgres://u:100%@127.0.0.1:1/d", /%-encode/],
  ["postgres://u:hid/den@127.0.0.1:1/d", /%-encode/],
  ["postgres://u:hid@den@127.0.0.1:1/d", /%-encode/],
  ["postgres://u:hid#den@127.0.0.1:1/d", /%-encode/],
  ["postgres://u:hidden@127.0.0.1:1/d?sslmode=no-verify", /no-verify is require/],
  ["postgres://u:hidden@127.0.0.1:1/d?port=x", /1 to 65535/],
  ["postgres://127.0.0.1:1/d", /names no user/],
])(
  "fault 18: %s: exit 2, what to write, nothing of the password",
  async (databaseUrl, message) => {
    for (const command of ["run", "doctor"]) {
      const result = await runProgram([command], {
        DATABASE_URL: databaseUrl,
        BACKFILL_DATA_DIR: `${folder.path}/url`,
      });
      expect(result.stdout + result.stderr).toMatch(message);
      expect(result.stdout + result.stderr).not.toMatch(/hid|den@|100%@/);
      expect(result.code).toBe(command === "run" || result.code === 2 ? 2 : 1);
    }
  },
  120_000,
);

test.each([
  ["SELECT interval '5 s'", /type interval; it must give a number/],
  ["SELECT 0 FROM pg_sleep(3)", /timed out after 2000 ms; it must give a number/],
])(
  "fault 23: doctor fails for the throttle query %s",
  async (throttleQuery, message) => {
    const result = await runProgram(["doctor"], {
      DATABASE_URL: postgres.databaseUrl,
      BACKFILL_THROTTLE_QUERY: throttleQuery,
      BACKFILL_DATA_DIR: `${folder.path}/doctor`,
    });
    expect(result.stdout + result.stderr).toMatch(message);
    expect(result.code).toBe(1);
  },
  60_000,
);
