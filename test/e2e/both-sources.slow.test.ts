/** BACKFILL_SOURCE=both: what a relay keeps and what the repositories hold, read at the same time into the same tables. */
import { startPostgres, type Postgres } from "@firehose-backfill/embedded/postgres-server";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { cidToText } from "@firehose-backfill/core/cid";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seeded } from "../simulation/simulate.ts";
import { framesOf, livingRepo } from "../support/living-repo.ts";
import { startProgram, temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";

/** 500 events a second, for both together. */
const PACE = { BACKFILL_BATCH_SIZE: "25", BACKFILL_BATCH_DELAY_MS: "50", BACKFILL_MAX_CONCURRENT: "2" };
const RATE = 500;
const LOOK_EVERY_MS = 100;

interface Look {
  readonly atMs: number;
  readonly runs: readonly Snapshot[];
}

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

test("issue 15.4: both runs at once: both succeed, the tables are of the newest state, deletes included, and the sum keeps the pace", async () => {
  const random = seeded(15);
  const startMs = Date.now() - 3_600_000;
  const repos = [12, 400, 700].map((count, index) =>
    livingRepo({ did: `did:plc:${"abc".charAt(index).repeat(24)}`, count, timeMs: startMs, random }),
  );
  const commits = repos.flatMap((repo) =>
    Array.from({ length: 100 }, (_, index) => ({ did: repo.did, ...repo.write(startMs + (index + 1) * 10_000) })),
  );
  await using plc = await startFakePlc();
  await using pds = await startFakePds(repos.map((repo) => repo.now()));
  for (const repo of repos) plc.put(repo.now(), pds.origin);
  // The relay has more: each repository is written to again, once its walk has begun.
  let asked = 0;
  const late = repos.flatMap((repo) =>
    Array.from({ length: 100 }, (_, index) => ({ did: repo.did, ...repo.write(startMs + (index + 101) * 10_000) })),
  );
  pds.intercept = () => {
    asked += 1;
    if (asked === 6) for (const repo of repos) pds.repos.set(repo.did, repo.now());
    return false;
  };
  await using relay = await startReplayRelay({ frames: framesOf([...commits, ...late]) });
  const program = startProgram(["run", "--until-done", "--json"], {
    ...PACE,
    BACKFILL_SOURCE: "both",
    BACKFILL_DAYS: "-1",
    BACKFILL_DIDS: repos.map(({ did }) => did).join(","),
    BACKFILL_PLC_URL: plc.origin,
    BACKFILL_HOST_RATE: "8",
    BACKFILL_DB_POOL_SIZE: "3",
    BACKFILL_DATA_DIR: `${folder.path}/both`,
    DATABASE_URL: postgres.databaseUrl,
    RELAY_URL: relay.url,
  });
  await program.said("Status page");
  const page = /Status page: (\S+)/.exec(program.stderr())?.[1] ?? "";
  const looks: Look[] = [];
  while (program.child.exitCode === null) {
    const answer = await fetch(`${page}/runs.json`).catch(() => null);
    const runs: Snapshot[] = answer === null ? [] : JSON.parse(await answer.text());
    if (runs.length > 0) looks.push({ atMs: Date.parse(runs[0]?.at ?? ""), runs });
    await Promise.race([program.exited, new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))]);
  }
  expect(program.stderr()).toContain("is succeeded");
  expect(await program.exited).toBe(0);
  expect(asked).toBeGreaterThan(6);
  const runIds = new Set(looks.flatMap(({ runs }) => runs.map(({ runId }) => runId)));
  expect(runIds.size).toBe(2);
  for (const runId of runIds) expect(program.stderr()).toMatch(new RegExp(`${runId}.* is succeeded`));
  // At work at the same time, not one after the other.
  const beside = looks.filter(({ runs }) => runs.length === 2 && runs.every((run) => run.processed > 0));
  expect(beside.some(({ runs }) => runs.every(({ status }) => status === "running"))).toBe(true);
  // The pace is of the database: two runs do not get it twice.
  const totalOf = ({ runs }: Look) => runs.reduce((sum, run) => sum + run.processed, 0);
  const most = Math.max(...beside.map(totalOf));
  const whole = beside.find((look) => totalOf(look) === most);
  expect(most).toBeGreaterThan(2_000);
  expect(((whole?.atMs ?? 0) - (looks[0]?.atMs ?? 0)) / 1_000).toBeGreaterThanOrEqual((most / RATE) * 0.9);

  await using database = await openTestDatabase(postgres.databaseUrl);
  const rows = await database.query(
    "select did, collection || '/' || rkey as key, cid from firehose.records where cid is not null",
    [],
  );
  const expected = repos.flatMap((repo) =>
    repo.now().records.map(({ key, cid }) => ({ did: repo.did, key, cid: cidToText(cid) })),
  );
  expect(inOrder(rows)).toEqual(inOrder(expected));
  const [dead] = await database.query("select count(*)::int as n from firehose.dead_events", []);
  expect(dead).toEqual({ n: 0 });
}, 120_000);

function inOrder(rows: readonly Readonly<Record<string, unknown>>[]): unknown[] {
  return rows.map(({ did, key, cid }) => `${String(did)} ${String(key)} ${String(cid)}`).toSorted();
}
