/** The last audit of a copy, as its operator meets it: made by itself after a run, and by the command; kept, and shown by status, page, metrics and report. */
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { makeRepo, manyRecords } from "@firehose-backfill/testing/repos/test-repo";
import { afterAll, beforeAll, expect, it } from "vitest";
import { finalSnapshot, runProgram, startProgram, temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";
import { didOf, startNetwork } from "./network.ts";

const SIZES = [0, 20, 50, 300, 7];
const repos = SIZES.map((size, index) =>
  makeRepo(manyRecords(size, ["app.bsky.feed.post", "app.bsky.feed.like"]), { did: didOf(index) }),
);

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

async function sql(text: string): Promise<void> {
  await using database = await openTestDatabase(postgres.databaseUrl);
  await database.query(text, []);
}

it("issue 16.4: after each run that succeeded a sample is audited; status, page, metrics and report show the last audit", async () => {
  await using network = await startNetwork(repos);
  const env = {
    DATABASE_URL: postgres.databaseUrl,
    BACKFILL_PLC_URL: network.directory.origin,
    BACKFILL_HOST_RATE: "8",
    BACKFILL_DATA_DIR: `${folder.path}/data`,
    BACKFILL_SOURCE: "repos",
    BACKFILL_DIDS: repos.map(({ did }) => did).join(","),
    BACKFILL_BATCH_SIZE: "50",
    BACKFILL_BATCH_DELAY_MS: "0",
    BACKFILL_AUDIT_SAMPLE: "3",
  };
  const run = await runProgram(["run", "--until-done", "--json"], env);
  expect([run.code, run.stderr.includes("[BACKFILL] Audit: 3 equal, 0 behind, 0 differing")]).toEqual([0, true]);
  const first = finalSnapshot(run.stdout);
  expect(first.audit).toMatchObject({ by: "a run", repos: "sample", equal: 3, differing: 0, first: [] });
  expect(first.audit?.confidence).toMatchObject({ of: 5, sampled: 3, differing: { found: 0, atMost: 2 } });
  expect(first.verdict).toMatchObject({ level: "ok", text: "succeeded" });

  // Without a process: the command audits, and `status` shows what it found.
  await sql(
    `delete from firehose.records where did = '${didOf(3)}' and ctid in (select min(ctid) from firehose.records where did = '${didOf(3)}')`,
  );
  const audited = await runProgram(["audit", "--all", "--json"], env);
  expect([audited.code, audited.stderr]).toEqual([3, ""]);
  const stopped: Snapshot = JSON.parse((await runProgram(["status", "--json"], env)).stdout);
  expect(stopped.audit).toMatchObject({ by: "command", repos: "all", equal: 4, differing: 1, records: { missing: 1 } });
  expect(stopped.verdict).toMatchObject({
    level: "attention",
    text: "succeeded, but the last audit found that 1 of 5 repositories differs (1 record missing, 0 extra, 0 with another CID)",
  });
  expect((await runProgram(["status"], env)).stdout).toMatch(
    /audit +\d{4}-.* UTC, by the command, all repositories: 4 equal, 1 differing/,
  );

  // With a process, which keeps what the command sends: the table has it, too.
  const idle = startProgram(["run"], { ...env, BACKFILL_DAYS: "0" });
  await idle.said("Status page: ");
  const [url = ""] = /http:\/\/127\.0\.0\.1:\d+/.exec(idle.stderr()) ?? [];
  try {
    const statusOf = async (): Promise<Snapshot> => JSON.parse(await (await fetch(`${url}/status.json`)).text());
    expect((await statusOf()).audit).toEqual(stopped.audit);
    const page = await (await fetch(url, { headers: { accept: "text/html" } })).text();
    expect(page).toContain("all repositories: 4 equal, 1 differing (1 record missing, 0 extra, 0 with another CID)");
    expect(await (await fetch(`${url}/report`)).text()).toContain("Last audit");
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(
      /audit_repositories\{run="[^"]+",verdict="differing"\} 1/,
    );
    await sql(`delete from firehose.records where did = '${didOf(1)}'`);
    const again = await runProgram(["audit", "--sample", "5", "--json"], env);
    expect([again.code, again.stderr]).toEqual([3, ""]);
    expect((await statusOf()).audit).toMatchObject({
      repos: "sample",
      equal: 3,
      differing: 2,
      records: { missing: 21 },
    });
  } finally {
    idle.child.kill("SIGTERM");
    await idle.exited;
  }
}, 120_000);

it("issue 16.4: without BACKFILL_AUDIT_SAMPLE nothing is audited, and a command on a folder without a run keeps nothing", async () => {
  await using network = await startNetwork(repos.slice(0, 1));
  const env = {
    DATABASE_URL: postgres.databaseUrl,
    BACKFILL_PLC_URL: network.directory.origin,
    BACKFILL_DATA_DIR: `${folder.path}/other`,
    BACKFILL_SOURCE: "repos",
    BACKFILL_DIDS: didOf(0),
    BACKFILL_BATCH_DELAY_MS: "0",
  };
  const audited = await runProgram(["audit", "--dids", didOf(0), "--json"], env);
  expect([audited.code, audited.stderr]).toEqual([0, ""]);
  const run = await runProgram(["run", "--until-done", "--json"], env);
  expect([run.code, finalSnapshot(run.stdout).audit]).toEqual([0, null]);
  expect(run.stderr).not.toContain("Audit");
}, 120_000);
