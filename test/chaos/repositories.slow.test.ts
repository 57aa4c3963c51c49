/**
 * Issue 15: a run over repositories that is killed 33 times, while the repositories are written to, one moves to another host and one is
 * deactivated for a while. After a final walk the rows are what the hosts hold, no more and no less, and the counts are right. The audit of all
 * of them says the same, and finds the faults that are then made on purpose (issue 16.5).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { CRASH_POINTS } from "@firehose-backfill/backfill/deps";
import { cidToText } from "@firehose-backfill/core/cid";
import { startPostgres } from "@firehose-backfill/embedded/postgres-server";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { type FakePds, startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { expect, test } from "vitest";
import { seeded } from "../simulation/simulate.ts";
import { livingRepo } from "../support/living-repo.ts";
import { expectProvedCopy } from "../support/audit-now.ts";
import { temporaryFolder } from "../support/program.ts";
import { openTestDatabase, type TestDatabase } from "../support/query.ts";
import type { CrashTask } from "./crash-program.ts";
import { appears, beginLife, type Life } from "./life.ts";

const RECORDS = [10, 30, 60, 100, 200, 400, 700, 1_200, 2_000, 3_000];
const HOSTS = 4;
/** Each third one is at a point of the list, and each point has its turn. */
const KILLS = 3 * CRASH_POINTS.length;
/** Of the accounts, by their place in RECORDS. */
const MOVES = 8;
const RESTS = 7;
/** 200 events a second: the kills come before the end does. */
const PACE = { BACKFILL_BATCH_SIZE: "40", BACKFILL_BATCH_DELAY_MS: "200", BACKFILL_MAX_CONCURRENT: "2" };
const UNPACED = { ...PACE, BACKFILL_BATCH_DELAY_MS: "0" };
const LONGEST_LIFE_MS = 900;
const WRITE_EVERY_MS = 150;
const PAGE_WITHIN_MS = 90_000;

test("issue 15.9: killed 33 times, at every crash point, with writes, a move and a deactivation: the rows are what the hosts hold", async () => {
  const random = seeded(15);
  const beganMs = Date.now() - 3_600_000;
  const repos = RECORDS.map((count, index) =>
    livingRepo({ did: `did:plc:${"abcdefghij".charAt(index).repeat(24)}`, count, timeMs: beganMs, random }),
  );
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const postgres = stack.use(await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true }));
  const plc = stack.use(await startFakePlc());
  const hosts: FakePds[] = [];
  for (let index = 0; index < HOSTS; index += 1) hosts.push(stack.use(await startFakePds([])));
  const homes = repos.map((_, index) => hosts[index % HOSTS]);
  const publish = (index: number): void => {
    const repo = repos[index]?.now();
    if (repo !== undefined) homes[index]?.repos.set(repo.did, repo);
  };
  for (const [index, repo] of repos.entries()) {
    publish(index);
    plc.put(repo.now(), homes[index]?.origin ?? "");
  }
  let writes = 0;
  const writing = setInterval(() => {
    const index = Math.floor(random() * repos.length);
    repos[index]?.write(Date.now());
    publish(index);
    writes += 1;
  }, WRITE_EVERY_MS);
  stack.defer(() => clearInterval(writing));

  const lifeOf = (settings: Readonly<Record<string, string>>, more: Partial<CrashTask> = {}) =>
    beginLife({
      env: {
        ...settings,
        BACKFILL_SOURCE: "repos",
        BACKFILL_DIDS: repos.map(({ did }) => did).join(","),
        BACKFILL_PLC_URL: plc.origin,
        BACKFILL_HOST_RATE: "8",
        BACKFILL_DATA_DIR: `${folder.path}/data`,
        DATABASE_URL: postgres.databaseUrl,
        PORT: "0",
      },
      start: null,
      consumers: "in-process",
      crash: null,
      ...more,
    });
  let kills = 0;
  while (kills < KILLS) {
    if (kills === 10) {
      const [moved, from, to] = [repos[MOVES], homes[MOVES], hosts[(MOVES + 1) % HOSTS]];
      if (moved === undefined || to === undefined) throw new Error("nobody moves");
      from?.unavailable.set(moved.did, "RepoDeactivated");
      homes[MOVES] = to;
      publish(MOVES);
      plc.put(moved.now(), to.origin);
    }
    if (kills === 12) homes[RESTS]?.unavailable.set(repos[RESTS]?.did ?? "", "RepoDeactivated");
    // Each third one at a point, the others at any moment.
    const marker = `${folder.path}/marker-${kills}`;
    const point = CRASH_POINTS[(kills / 3) % CRASH_POINTS.length];
    const crash = kills % 3 !== 0 || point === undefined ? null : { point, nth: 1 + Math.floor(random() * 3), marker };
    await using life = await lifeOf(PACE, { crash });
    if (!(await life.said("Status page", PAGE_WITHIN_MS)) && life.failed() !== null)
      throw new Error(`it did not begin: ${life.failed()}\n${life.log()}`);
    await (crash === null ? sleep(random() * LONGEST_LIFE_MS) : appears(marker, LONGEST_LIFE_MS * 2));
    expect(life.ended(), `the run was over after ${kills} kills`).toBeNull();
    life.kill();
    await life.exited;
    kills += 1;
  }
  await using database = await openTestDatabase(postgres.databaseUrl);
  const first = await lastSnapshot(await lifeOf(UNPACED));
  expect(first).toMatchObject({ status: "succeeded", dead: 0, repos: { known: 10, done: 10, failed: 0, deferred: 0 } });
  expect(first.processed).toBe(first.received);

  clearInterval(writing);
  homes[RESTS]?.unavailable.clear();
  const held = repos.flatMap((repo) =>
    repo.now().records.map(({ key, cid }) => `${repo.did} ${key} ${cidToText(cid)} ${repo.now().rev}`),
  );
  const isHeld = new Set(held.map((row) => row.split(" ").slice(0, 2).join(" ")));
  const outdated = (await rowsOf(database)).filter((row) => !isHeld.has(row.split(" ").slice(0, 2).join(" ")));
  const last = await lastSnapshot(await lifeOf(UNPACED, { start: { isNew: true, isDryRun: false } }));
  expect(last).toMatchObject({ status: "succeeded", dead: 0, repos: { known: 10, done: 10, failed: 0 } });
  expect(await rowsOf(database)).toEqual(held.toSorted());
  // Records that were proved, and rows that were removed.
  expect([last.received, last.processed]).toEqual([held.length + outdated.length, held.length + outdated.length]);
  // Issue 16.5: what was applied between the kills is also what the accounts have signed, and the audit would notice if it were not.
  await expectProvedCopy(
    { databaseUrl: postgres.databaseUrl, plcUrl: plc.origin },
    repos.map(({ did }) => did),
  );
  process.stderr.write(
    `repositories: ${kills} kills, ${writes} writes, ${first.received} events; the final walk removed ${outdated.length} of ${held.length} rows\n`,
  );
}, 600_000);

async function lastSnapshot(life: Life): Promise<Snapshot> {
  await using _ = life;
  await life.exited;
  const snapshot = life.ended()?.snapshot ?? null;
  if (snapshot === null) throw new Error(`it did not end: ${life.failed()}\n${life.log()}`);
  return snapshot;
}

async function rowsOf(database: TestDatabase): Promise<string[]> {
  const rows = await database.query(
    "select did || ' ' || collection || '/' || rkey || ' ' || cid || ' ' || rev as row from firehose.records where cid is not null",
    [],
  );
  return rows.map(({ row }) => String(row)).toSorted();
}
