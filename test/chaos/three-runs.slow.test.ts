/**
 * Issue 14: three runs at once, on three relays, one of them filtered, in a process that is killed again and again. Each ends with
 * exactly its own rows and counts; their sum keeps to the pace, and no more batches are applied at once than are allowed.
 */
import { readFile } from "node:fs/promises";
import { startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { snapshotFileOf } from "@firehose-backfill/server/state-files";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { expect, test } from "vitest";
import { seeded } from "../simulation/simulate.ts";
import { compareTables } from "../support/compare.ts";
import { type Expected, expectedTables } from "../support/oracle.ts";
import { temporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";
import { pdsFrames } from "../support/recordings.ts";
import type { CrashTask } from "./crash-program.ts";
import { beginLife, type Life, sleep } from "./life.ts";

const POSTS = "app.bsky.feed.post";
/** 250 events a second. */
const PACE = { BACKFILL_BATCH_SIZE: "25", BACKFILL_BATCH_DELAY_MS: "100", BACKFILL_MAX_CONCURRENT: "2" };
const RATE = 250;
const KILLS = 6;
const PAGE_WITHIN_MS = 90_000;
const LONGEST_LIFE_MS = 6_000;
const END_WITHIN_MS = 600_000;
const LOOK_EVERY_MS = 100;

const RUNS = [
  { name: "whole-a", copies: 1, settings: {}, keep: () => true },
  { name: "whole-b", copies: 1, settings: {}, keep: () => true },
  {
    name: "posts-c",
    copies: 1,
    settings: { BACKFILL_COLLECTIONS: POSTS },
    keep: (_did: string, collection: string | null) => collection === null || collection === POSTS,
  },
];

test("issue 14: three runs, killed and resumed at random: each has its own rows, their sum keeps the pace", async () => {
  await using folder = await temporaryFolder();
  const dataDir = `${folder.path}/data`;
  const random = seeded(14);
  const logs = RUNS.map(({ name, copies }) =>
    resealedLog({ frames: pdsFrames(), copies, seed: name, firstTimeMs: Date.now() - 86_400_000 }),
  );
  const expected: Expected[] = [];
  for (const [index, { keep }] of RUNS.entries())
    expected.push(
      await expectedTables(
        [...(logs[index]?.after(0) ?? [])].map(({ frame }) => frame),
        { keep },
      ),
    );
  await using relays = new AsyncDisposableStack();
  const urls: string[] = [];
  for (const log of logs) urls.push(relays.use(await startReplayRelay({ frames: log })).url);

  const lifeOf = (index: number, start: CrashTask["start"]) => {
    const env = {
      ...PACE,
      ...RUNS[index]?.settings,
      RELAY_URL: urls[index] ?? "",
      BACKFILL_DATA_DIR: dataDir,
      PORT: "0",
    };
    return beginLife({ env, start, consumers: "in-process", crash: null });
  };
  let kills = 0;
  // Each run begins in a life of its own, beside those that are there; after that the process goes on with all of them.
  for (let life = 0; life < KILLS; life += 1) {
    const its = RUNS[life];
    const start =
      its === undefined
        ? null
        : { from: "oldest", to: String(logs[life]?.headSeq), name: its.name, isNew: false, isDryRun: false };
    await using now = await lifeOf(life % RUNS.length, start);
    if (!(await now.said("Status page", PAGE_WITHIN_MS))) throw new Error(`it did not begin:\n${now.log()}`);
    await sleep(random() * LONGEST_LIFE_MS);
    expect(now.failed()).toBeNull();
    now.kill();
    await now.exited;
    kills += 1;
  }
  await using last = await lifeOf(0, null);
  const watched = await watch(last);
  await last.exited;
  expect(last.failed()).toBeNull();
  expect(last.ended()?.exit).toMatch(/^done/);

  for (const [index, { name }] of RUNS.entries()) {
    const snapshot: Snapshot = JSON.parse(await readFile(`${dataDir}/${snapshotFileOf(name)}`, "utf8"));
    const { events = 0, dead = [] } = expected[index] ?? {};
    expect([name, snapshot.status, snapshot.processed, snapshot.dead]).toEqual([
      name,
      "succeeded",
      events - dead.length,
      dead.length,
    ]);
  }
  await using postgres = await startPostgres({ dataDir: `${dataDir}/postgres` });
  await using database = await openTestDatabase(postgres.databaseUrl);
  expect(await compareTables(database.query, unionOf(expected))).toEqual([]);
  expect(watched.mostAtOnce).toBeLessThanOrEqual(2);
  expect(watched.ratePerSecond).toBeLessThanOrEqual(RATE * 1.02);
  process.stderr.write(
    `three runs: ${kills} kills, ${expected.map(({ events }) => events).join(" + ")} events, ${watched.ratePerSecond.toFixed(1)} of ${RATE} events/s over ${watched.seconds.toFixed(0)} s, at most ${watched.mostAtOnce} at once in ${watched.looks} looks\n`,
  );
}, 900_000);

interface Watched {
  /** Of all runs, between the first look at which all three are known and the last one at which all are running. */
  readonly ratePerSecond: number;
  readonly seconds: number;
  readonly mostAtOnce: number;
  readonly looks: number;
}

/** Until the life is over: how fast the sum of all runs is, and how many batches hold a lock of the pace in the database. */
async function watch(life: Life): Promise<Watched> {
  const url = await addressOf(life);
  const deadline = performance.now() + END_WITHIN_MS;
  const samples: { readonly atMs: number; readonly processed: number }[] = [];
  let mostAtOnce = 0;
  let looks = 0;
  while (!life.isOver()) {
    if (performance.now() > deadline) throw new Error(`the runs do not end:\n${life.log()}`);
    const response = await fetch(`${url}/runs.json`, { signal: AbortSignal.timeout(5_000) }).catch(() => null);
    const snapshots: Snapshot[] = response === null ? [] : JSON.parse(await response.text());
    const [first] = snapshots;
    if (first !== undefined) {
      looks += 1;
      mostAtOnce = Math.max(mostAtOnce, first.consumers.active);
      if (snapshots.length === RUNS.length && snapshots.every(({ status }) => status === "running"))
        samples.push({
          atMs: Date.parse(first.at),
          processed: snapshots.reduce((sum, each) => sum + each.processed, 0),
        });
    }
    await Promise.race([life.exited, sleep(LOOK_EVERY_MS)]);
  }
  const [from, to] = [samples[0], samples.at(-1)];
  const seconds = from === undefined || to === undefined ? 0 : (to.atMs - from.atMs) / 1000;
  const processed = (to?.processed ?? 0) - (from?.processed ?? 0);
  return { ratePerSecond: seconds === 0 ? 0 : processed / seconds, seconds, mostAtOnce, looks };
}

async function addressOf(life: Life): Promise<string> {
  await life.said("Status page", PAGE_WITHIN_MS);
  const url = /Status page: (\S+)/.exec(life.log())?.[1];
  if (url === undefined) throw new Error(`there is no page:\n${life.log()}`);
  return url;
}

function unionOf(expected: readonly Expected[]): Expected {
  return {
    records: new Map(expected.flatMap(({ records }) => [...records])),
    repos: new Map(expected.flatMap(({ repos }) => [...repos])),
    events: expected.reduce((sum, { events }) => sum + events, 0),
    dead: expected.flatMap(({ dead }) => dead),
  };
}
