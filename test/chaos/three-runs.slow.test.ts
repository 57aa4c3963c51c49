/**
 * Issue 14: three runs at once, on three relays, one of them filtered, in a process that is killed again and again. Each ends with
 * exactly its own rows and counts; their sum keeps to the pace, and no more batches are applied at once than are allowed. The
 * database itself records when batches come and how many there are at once.
 */
import { readFile } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
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
import { beginLife, sleep } from "./life.ts";
import { batchesPerSecond, beginToWatch, longestStretch, type SeenBatch, seenBatches } from "./watch-batches.ts";
import { databaseUrlIn } from "./witness.ts";

const POSTS = "app.bsky.feed.post";
const BATCH_SIZE = 10;
/** 50 events a second. */
const RATE = 50;
const MAX_CONCURRENT = 2;
const PACE = {
  BACKFILL_BATCH_SIZE: String(BATCH_SIZE),
  BACKFILL_BATCH_DELAY_MS: String((BATCH_SIZE * 1000) / RATE),
  BACKFILL_MAX_CONCURRENT: String(MAX_CONCURRENT),
};
/** At this pace the two consumers are busy half of the time: batches of several runs overlap, and a late one has room to catch up. */
const BATCH_TAKES_SECONDS = 0.2;
const KILLS = 6;
const PAGE_WITHIN_MS = 90_000;
const LONGEST_LIFE_MS = 6_000;
const END_WITHIN_MS = 600_000;
/** What was in a consumer's hands when it was killed has come back by then, and has a new slot behind all others. */
const SETTLED_AFTER_MS = 12_000;
/** A kill between reserving and sending leaves slots unused: the runs are then slower for as long as these take. */
const UNUSED_SLOTS_MS = 3_000;
const MINUTE_MS = 60_000;
/** Processes that want to run, for each processor: above it, consumers come too late for their slots, which makes the runs slower. */
const MOST_LOAD = 4;

/** Those before are the commits of imports, of 200 operations each: more than two minutes at this pace. */
const FIRST_FRAME = 60;

const RUNS = [
  /** `frames`: up to this one. */
  { name: "whole-a", frames: 1_400, settings: {}, keep: () => true },
  { name: "whole-b", frames: 1_400, settings: {}, keep: () => true },
  {
    name: "posts-c",
    frames: 2_027,
    settings: { BACKFILL_COLLECTIONS: POSTS },
    keep: (_did: string, collection: string | null) => collection === null || collection === POSTS,
  },
];

test("issue 14: three runs, killed and resumed at random: each has its own rows, their sum keeps the pace", async () => {
  await using folder = await temporaryFolder();
  const dataDir = `${folder.path}/data`;
  const random = seeded(14);
  const logs = RUNS.map(({ name, frames }) =>
    resealedLog({
      frames: pdsFrames().slice(FIRST_FRAME, frames),
      copies: 1,
      seed: name,
      firstTimeMs: Date.now() - 86_400_000,
    }),
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
  // Each run begins in a life of its own, beside those that are there; after that the process goes on with all of them.
  for (let life = 0; life < KILLS; life += 1) {
    const its = RUNS[life];
    const start =
      its === undefined
        ? null
        : { from: "oldest", to: String(logs[life]?.headSeq), name: its.name, isNew: false, isDryRun: false };
    await using now = await lifeOf(life % RUNS.length, start);
    if (!(await now.said("Status page", PAGE_WITHIN_MS))) throw new Error(`it did not begin:\n${now.log()}`);
    if (life === 0) {
      await using database = await openTestDatabase(await databaseUrlIn(dataDir));
      await beginToWatch(database.query, { batchTakesSeconds: BATCH_TAKES_SECONDS });
    }
    await sleep(random() * LONGEST_LIFE_MS);
    expect(now.failed()).toBeNull();
    now.kill();
    await now.exited;
  }
  await using last = await lifeOf(0, null);
  if (!(await last.said("Status page", PAGE_WITHIN_MS))) throw new Error(`it did not begin:\n${last.log()}`);
  const settledAtMs = Date.now() + SETTLED_AFTER_MS;
  const isEnded = await Promise.race([last.exited.then(() => true), sleep(END_WITHIN_MS).then(() => false)]);
  if (!isEnded) throw new Error(`the runs do not end:\n${last.log()}`);
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

  const batches = await seenBatches(database.query);
  const stretch = longestStretch(
    batches.filter(({ atMs }) => atMs > settledAtMs),
    { apartMs: UNUSED_SLOTS_MS },
  );
  const seconds = ((stretch.at(-1)?.atMs ?? 0) - (stretch[0]?.atMs ?? 0)) / 1000;
  const rate = (batchesPerSecond(stretch) ?? 0) * BATCH_SIZE;
  const mostAtOnce = Math.max(...batches.map(({ locks }) => locks));
  const isTooBusy = last.log().includes("backing off") || (loadavg()[0] ?? 0) > MOST_LOAD * availableParallelism();
  process.stderr.write(
    `three runs: ${KILLS} kills, ${expected.map(({ events }) => events).join(" + ")} events, ${rate.toFixed(1)} of ${RATE} events/s over ${seconds.toFixed(0)} s, at most ${mostAtOnce} batches at once in ${batches.length}${isTooBusy ? "; the machine is too busy to keep the pace, so it is only judged that nothing was faster" : ""}\n`,
  );
  expect(mostAtOnce).toBeLessThanOrEqual(MAX_CONCURRENT);
  expect(mostInAMinute(batches) * BATCH_SIZE).toBeLessThanOrEqual(1.05 * 60 * RATE + BATCH_SIZE);
  expect(rate).toBeLessThanOrEqual(RATE * 1.02);
  if (isTooBusy) return;
  expect(seconds).toBeGreaterThan(30);
  expect(rate).toBeGreaterThanOrEqual(RATE * 0.98);
}, 900_000);

function mostInAMinute(batches: readonly SeenBatch[]): number {
  let most = 0;
  let first = 0;
  for (const [index, { atMs }] of batches.entries()) {
    while (atMs - (batches[first]?.atMs ?? atMs) >= MINUTE_MS) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

function unionOf(expected: readonly Expected[]): Expected {
  return {
    records: new Map(expected.flatMap(({ records }) => [...records])),
    repos: new Map(expected.flatMap(({ repos }) => [...repos])),
    events: expected.reduce((sum, { events }) => sum + events, 0),
    dead: expected.flatMap(({ dead }) => dead),
  };
}
