import { refuseUnusable } from "@firehose-backfill/backfill/prepare-sink";
import { openSink } from "./open-sink.ts";
/** Missing privileges of a role are reported before anything fails, with the same text by the doctor and by a start. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { examineDatabase, whyUnusable } from "./examine.ts";
import { migrate } from "./schema/migrate.ts";
import { createDatabase, query } from "@firehose-backfill/testing/sink/rows";

let folder: string;
let server: Postgres;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sink-"));
  server = await startPostgres({ dataDir: folder, throwaway: true });
  await query(server.databaseUrl, `CREATE ROLE "odd role" LOGIN PASSWORD 'pw'`);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const ALL = `GRANT USAGE ON SCHEMA firehose TO "odd role"; GRANT ALL ON ALL TABLES IN SCHEMA firehose TO "odd role"`;

/** A database with the schema, in which the role may do what the statements say. */
async function databaseFor(statements: readonly string[]): Promise<string> {
  const owned = await createDatabase(server.databaseUrl);
  for (const sql of statements) await query(owned, sql);
  const url = new URL(owned);
  url.username = "odd%20role";
  url.password = "pw";
  return url.href;
}

describe("fault 19: what the role lacks", () => {
  test("nothing, where all is granted", async () => {
    const databaseUrl = await databaseFor(ALL.split("; "));
    expect(whyUnusable(await examineDatabase({ databaseUrl }))).toBeNull();
    await refuseUnusable(openSink(databaseUrl));
  });

  test.each<[string, readonly string[], RegExp]>([
    ["everything", [], /lacks USAGE on schema firehose and \d+ more/],
    ["USAGE on the schema", [ALL.split("; ")[1] ?? ""], /lacks USAGE on schema firehose$/],
    [
      "SELECT on schema_version",
      [...ALL.split("; "), 'REVOKE SELECT ON firehose.schema_version FROM "odd role"'],
      /lacks SELECT on firehose\.schema_version$/,
    ],
    [
      "INSERT on records",
      [...ALL.split("; "), 'REVOKE INSERT ON firehose.records FROM "odd role"'],
      /lacks INSERT on firehose\.records$/,
    ],
    [
      "two of them",
      [...ALL.split("; "), 'REVOKE INSERT, UPDATE ON firehose.repos FROM "odd role"'],
      /lacks INSERT on firehose\.repos and 1 more$/,
    ],
  ])("%s", async (_, statements, finding) => {
    const databaseUrl = await databaseFor(statements);
    const problem = whyUnusable(await examineDatabase({ databaseUrl }));
    expect(problem?.finding).toMatch(finding);
    expect(problem?.advice).toContain('GRANT USAGE ON SCHEMA firehose TO "odd role"; GRANT SELECT, INSERT');
    await expect(refuseUnusable(openSink(databaseUrl))).rejects.toMatchObject({ name: "SinkError", kind: "broken" });
    await expect(refuseUnusable(openSink(databaseUrl))).rejects.toThrow(/odd role@127.*GRANT USAGE ON SCHEMA firehose/);
    // The advice is correct: after following it, everything works.
    const owner = new URL(databaseUrl);
    owner.username = new URL(server.databaseUrl).username;
    owner.password = new URL(server.databaseUrl).password;
    for (const sql of problem?.advice.split("; ") ?? []) await query(owner.href, sql);
    await refuseUnusable(openSink(databaseUrl));
  });

  test("CREATE, where there is no schema yet", async () => {
    const databaseUrl = await databaseFor(["DROP SCHEMA firehose CASCADE"]);
    await expect(refuseUnusable(openSink(databaseUrl))).rejects.toThrow(/GRANT CREATE ON DATABASE … TO "odd role"/);
  });

  test("nothing, where an empty schema is there that it owns", async () => {
    const make = 'CREATE SCHEMA firehose AUTHORIZATION "odd role"';
    const databaseUrl = await databaseFor(["DROP SCHEMA firehose CASCADE", make]);
    await refuseUnusable(openSink(databaseUrl));
    expect(await migrate({ databaseUrl })).toMatchObject({ from: 0 });
    await refuseUnusable(openSink(databaseUrl));
  });

  test("a default of read only", async () => {
    const databaseUrl = await databaseFor(ALL.split("; "));
    const { pathname } = new URL(databaseUrl);
    await query(server.databaseUrl, `ALTER DATABASE ${pathname.slice(1)} SET default_transaction_read_only = on`);
    await expect(refuseUnusable(openSink(databaseUrl))).rejects.toThrow(/it is read only.*name the primary/);
  });
});
