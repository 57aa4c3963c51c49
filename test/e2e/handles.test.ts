/** `BACKFILL_HANDLES=true`, as its user types it: repositories and a directory on loopback, and handles in the tables. */
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { makeRepo, manyRecords } from "@firehose-backfill/testing/repos/test-repo";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runProgram, temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";

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

async function network() {
  const plc = await startFakePlc();
  const repos = ["a", "b", "c"].map((letter) =>
    makeRepo(manyRecords(5, ["app.bsky.feed.post"]), { did: didOf(letter) }),
  );
  const pds = await startFakePds(repos);
  const names = [["at://alice.localhost"], [], ["at://carol.localhost", "at://second.localhost"]];
  for (const [index, { did, signer }] of repos.entries())
    plc.accounts.set(did, { pds: pds.origin, key: signer.key, names: names[index] ?? [] });
  return {
    plc,
    pds,
    dids: repos.map(({ did }) => did),
    async [Symbol.asyncDispose]() {
      await plc[Symbol.asyncDispose]();
      await pds[Symbol.asyncDispose]();
    },
  };
}

const settings = (plcUrl: string): Record<string, string> => ({
  DATABASE_URL: postgres.databaseUrl,
  BACKFILL_PLC_URL: plcUrl,
  BACKFILL_HOST_RATE: "8",
  BACKFILL_HANDLES: "true",
  BACKFILL_DATA_DIR: `${folder.path}/data`,
  BACKFILL_BATCH_SIZE: "50",
  BACKFILL_BATCH_DELAY_MS: "0",
  PORT: "0",
});

async function rows(): Promise<readonly unknown[]> {
  await using database = await openTestDatabase(postgres.databaseUrl);
  return await database.query("select did, handle, handle_check from firehose.repos order by did", []);
}

test("issue 17.7: a start with BACKFILL_HANDLES begins a second run, which looks up every account that the first one brings", async () => {
  await using net = await network();
  const env = settings(net.plc.origin);
  const args = ["start", "--source", "repos", "--dids", net.dids.join(","), "--until-done"];
  const first = await runProgram(args, env);
  expect(first.stderr).toContain("handles of the accounts in the database");
  expect(first.code).toBe(0);
  expect(await rows()).toEqual([
    // Nothing listens on this machine's port for https, so nobody says which account the name belongs to.
    { did: didOf("a"), handle: "alice.localhost", handle_check: "unreachable" },
    { did: didOf("b"), handle: null, handle_check: "none" },
    { did: didOf("c"), handle: "carol.localhost", handle_check: "unreachable" },
  ]);

  // By itself, later: only what is missing is asked for.
  {
    await using database = await openTestDatabase(postgres.databaseUrl);
    await database.query("update firehose.repos set handle_check = null where did = $1", [didOf("b")]);
  }
  net.plc.asked.length = 0;
  const second = await runProgram(["start", "--source", "handles", "--until-done"], env);
  expect(second.stderr).toContain("is succeeded");
  expect(second.code).toBe(0);
  expect(net.plc.asked).toEqual([`/${didOf("b")}`]);
});
