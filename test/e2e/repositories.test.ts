/** `start --source repos`, as its user types it: from a directory and servers on loopback to rows, and row by row what they hold. */
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { makeRepo, manyRecords, type TestRepo } from "@firehose-backfill/testing/repos/test-repo";
import { cidToText } from "@firehose-backfill/core/cid";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { finalSnapshot, runProgram, startProgram, temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";

const COLLECTIONS = ["app.bsky.feed.post", "app.bsky.feed.like"];
const didOf = (letter: string): string => `did:plc:${letter.repeat(24)}`;

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

async function newDatabase(name: string): Promise<string> {
  await using admin = await openTestDatabase(postgres.databaseUrl);
  await admin.query(`create database ${name}`, []);
  const url = new URL(postgres.databaseUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function rowsOf(databaseUrl: string): Promise<readonly unknown[]> {
  await using database = await openTestDatabase(databaseUrl);
  return await database.query(
    "select did, collection || '/' || rkey as key, cid, rev from firehose.records where cid is not null order by did, collection || '/' || rkey",
    [],
  );
}

function expectedRows(repos: readonly TestRepo[]): unknown[] {
  return repos
    .toSorted((a, b) => (a.did < b.did ? -1 : 1))
    .flatMap(({ did, rev, records }) => records.map(({ key, cid }) => ({ did, key, cid: cidToText(cid), rev })));
}

async function network(repos: readonly TestRepo[]) {
  const plc = await startFakePlc();
  const pds = await startFakePds(repos);
  for (const repo of repos) plc.put(repo, pds.origin);
  return {
    plc,
    pds,
    async [Symbol.asyncDispose]() {
      await plc[Symbol.asyncDispose]();
      await pds[Symbol.asyncDispose]();
    },
  };
}

function settings(name: string, databaseUrl: string, plcUrl: string): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    BACKFILL_PLC_URL: plcUrl,
    BACKFILL_HOST_RATE: "8",
    BACKFILL_DATA_DIR: `${folder.path}/${name}`,
    BACKFILL_BATCH_SIZE: "50",
    BACKFILL_BATCH_DELAY_MS: "0",
    BACKFILL_MAX_CONCURRENT: "3",
    BACKFILL_DB_POOL_SIZE: "3",
  };
}

describe("start --source repos", () => {
  test("issue 15.4: every record of the accounts becomes a row at the revision that was proved, and the run counts repositories", async () => {
    const repos = [
      makeRepo(manyRecords(10, COLLECTIONS), { did: didOf("a") }),
      makeRepo(manyRecords(1_500, COLLECTIONS), { did: didOf("b") }),
      makeRepo({}, { did: didOf("c") }),
    ];
    await using net = await network(repos);
    const databaseUrl = await newDatabase("repos_whole");
    const env = settings("repos_whole", databaseUrl, net.plc.origin);
    const dids = repos.map(({ did }) => did).join(",");
    const args = ["start", "--source", "repos", "--dids", dids, "--until-done", "--json"];
    const first = await runProgram(args, env);
    expect(first.stderr).toContain("is succeeded");
    expect(first.code).toBe(0);
    const snapshot = finalSnapshot(first.stdout);
    expect(snapshot).toMatchObject({
      status: "succeeded",
      source: "repos",
      progress: 1,
      received: 1_510,
      repos: { known: 3, done: 3, inWork: 0, deferred: 0, failed: 0 },
      hosts: [{ host: `localhost:${net.pds.port}`, errors: 0, waitingUntil: null }],
    });
    expect(await rowsOf(databaseUrl)).toEqual(expectedRows(repos));
  });

  test("issue 15.4: without accounts and collections it is refused with what the whole network would take, exit code 2", async () => {
    const { code, stderr } = await runProgram(["start", "--source", "repos"], {
      BACKFILL_DATA_DIR: `${folder.path}/refused`,
    });
    expect(code).toBe(2);
    expect(stderr).toContain("43 million accounts x 600 records = 25,800,000,000 records");
    expect(stderr).toMatch(/at this pace \(2\.5 a second, BACKFILL_PROFILE=background\) that takes about 327 years/);
  });

  test("issue 15.9: killed in the middle and started again: the same rows", async () => {
    const repos = [
      makeRepo(manyRecords(900, COLLECTIONS), { did: didOf("d") }),
      makeRepo(manyRecords(300, COLLECTIONS), { did: didOf("e") }),
    ];
    await using net = await network(repos);
    const databaseUrl = await newDatabase("repos_killed");
    const env = {
      ...settings("repos_killed", databaseUrl, net.plc.origin),
      BACKFILL_SOURCE: "repos",
      BACKFILL_DIDS: repos.map(({ did }) => did).join(","),
      BACKFILL_BATCH_SIZE: "10",
      BACKFILL_BATCH_DELAY_MS: "50",
    };
    const program = startProgram(["run", "--until-done", "--json"], env);
    await expect
      .poll(
        () =>
          rowsOf(databaseUrl).then(
            (rows) => rows.length,
            () => 0,
          ),
        { timeout: 60_000, interval: 100 },
      )
      .toBeGreaterThan(100);
    program.child.kill("SIGKILL");
    await program.exited;
    const second = await runProgram(["run", "--until-done", "--json"], env);
    expect(second).toMatchObject({ code: 0 });
    expect(finalSnapshot(second.stdout)).toMatchObject({ status: "succeeded", received: 1_200, repos: { done: 2 } });
    expect(await rowsOf(databaseUrl)).toEqual(expectedRows(repos));
  });
});
