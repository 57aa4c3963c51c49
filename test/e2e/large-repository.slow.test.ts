/** A repository of 100,000 records, as a user reads it: from a directory and a server on loopback to rows, and row by row what the server holds. */
import { cidToText } from "@firehose-backfill/core/cid";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { makeRepo, manyRecords } from "@firehose-backfill/testing/repos/test-repo";
import { afterAll, beforeAll, expect, test } from "vitest";
import { finalSnapshot, runProgram, temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";

const RECORDS = 100_000;
const COLLECTIONS = ["app.bsky.feed.like", "app.bsky.feed.post", "app.bsky.graph.follow"];

let folder: TemporaryFolder;
let postgres: Postgres;

beforeAll(async () => {
  folder = await temporaryFolder();
  postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
}, 120_000);

afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

test("issue 15.9: 100,000 records of one repository become rows, each at the revision that was proved, and no other", async () => {
  const repo = makeRepo(manyRecords(RECORDS, COLLECTIONS));
  await using plc = await startFakePlc();
  await using pds = await startFakePds([repo]);
  plc.put(repo, pds.origin);
  const env = {
    DATABASE_URL: postgres.databaseUrl,
    BACKFILL_PLC_URL: plc.origin,
    BACKFILL_HOST_RATE: "8",
    BACKFILL_DATA_DIR: `${folder.path}/data`,
    BACKFILL_BATCH_SIZE: "500",
    BACKFILL_BATCH_DELAY_MS: "0",
    BACKFILL_MAX_CONCURRENT: "2",
    BACKFILL_DB_POOL_SIZE: "2",
  };
  const args = ["start", "--source", "repos", "--dids", repo.did, "--until-done", "--json"];
  const result = await runProgram(args, env);
  expect(result.stderr).toContain("is succeeded");
  expect(result.code).toBe(0);
  expect(finalSnapshot(result.stdout)).toMatchObject({ status: "succeeded", progress: 1, received: RECORDS });

  await using database = await openTestDatabase(postgres.databaseUrl);
  const rows = await database.query(
    `select collection || '/' || rkey as key, cid, rev from firehose.records order by (collection || '/' || rkey) collate "C"`,
    [],
  );
  const expected = repo.records.map(({ key, cid }) => ({ key, cid: cidToText(cid), rev: repo.rev }));
  // Compared as texts: a difference of 100,000 objects would take minutes to show.
  const different = expected.findIndex((row, index) => JSON.stringify(row) !== JSON.stringify(rows[index]));
  expect(different === -1 ? null : [expected[different], rows[different]]).toBeNull();
  expect(rows).toHaveLength(RECORDS);
  // A walk of 3,000 records took 24 requests (decision 20); at most 1.3 times as many for each thousand.
  expect(pds.asked.length).toBeLessThanOrEqual((RECORDS / 1_000) * 8 * 1.3);
  expect(pds.callsOf("getRepo")).toHaveLength(0);
}, 900_000);
