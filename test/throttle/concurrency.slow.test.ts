/**
 * How many batches are applied at once, and how many connections are open, as the database sees it: in one process and in
 * one process a consumer, and after each tune. Each batch takes a tenth of a second there, so that they do overlap.
 */
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { type ReplayRelay, startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { openSink } from "@firehose-backfill/sink-postgres/open-sink";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startProgram, temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";
import { pdsFrames } from "../support/recordings.ts";
import { type Steering, steer } from "./control-program.ts";
import { type DatabaseWatch, watchDatabase } from "./watch-database.ts";

const LOOK_AT_BATCHES = 25;
/** From the answer of a tune until the pollers, the pool and the processes have followed it. */
const FOLLOWS_WITHIN_MS = 6_000;
/** So many batches in a row as the tune has them: it is followed. */
const SETTLED_BATCHES = 8;

let folder: TemporaryFolder;
let postgres: Postgres;
let relay: ReplayRelay;

beforeAll(async () => {
  folder = await temporaryFolder();
  postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
  relay = await startReplayRelay({
    frames: resealedLog({ frames: pdsFrames(), copies: 4, seed: "throttle", firstTimeMs: Date.now() - 3_600_000 }),
  });
}, 120_000);

afterAll(async () => {
  await relay[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

interface Running extends AsyncDisposable {
  readonly steering: Steering;
  readonly watch: DatabaseWatch;
}

async function start(name: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Running> {
  await using admin = await openTestDatabase(postgres.databaseUrl);
  await admin.query(`create database ${name}`, []);
  const url = new URL(postgres.databaseUrl);
  url.pathname = `/${name}`;
  await openSink(url.href).migrate();
  const watch = await watchDatabase(url.href, { batchTakesSeconds: 0.1 });
  const program = startProgram(["start", "--from", "oldest", ...args], {
    RELAY_URL: relay.url,
    DATABASE_URL: url.href,
    BACKFILL_DATA_DIR: `${folder.path}/${name}`,
    BACKFILL_BATCH_SIZE: "5",
    BACKFILL_BATCH_DELAY_MS: "0",
    ...env,
  });
  return {
    steering: await steer(program),
    watch,
    async [Symbol.asyncDispose]() {
      program.child.kill("SIGTERM");
      await program.exited;
      await watch[Symbol.asyncDispose]();
    },
  };
}

async function look({ watch }: Running, batches = LOOK_AT_BATCHES): Promise<readonly [number, number]> {
  await watch.reset();
  await watch.untilBatches(batches);
  const { mostAtOnce, mostConnections } = await watch.seen();
  return [mostAtOnce, mostConnections];
}

/** What is seen once so many are at it as the tune has them, or once the time that it may take is over. */
async function tuned(running: Running, settings: Readonly<Record<string, number>>, atOnce: number) {
  await running.steering.tune(settings);
  const givenUpMs = Date.now() + FOLLOWS_WITHIN_MS;
  while (Date.now() < givenUpMs) {
    const [seen] = await look(running, SETTLED_BATCHES);
    if (seen === atOnce) break;
  }
  return look(running);
}

describe("batches at once and connections, by pg_locks and pg_stat_activity", () => {
  it("in one process", async () => {
    const env = { BACKFILL_MAX_CONCURRENT: "4", BACKFILL_DB_POOL_SIZE: "5" };
    await using running = await start("one_process", [], env);
    await running.watch.untilBatches(1);
    expect(await look(running)).toEqual([4, expect.closeTo(4, 0)]);
    // The pool is the smaller one: it caps both.
    const narrow = { BACKFILL_MAX_CONCURRENT: 4, BACKFILL_DB_POOL_SIZE: 2 };
    expect(await tuned(running, narrow, 2)).toEqual([2, 2]);
    expect((await running.steering.status()).pool.size).toBe(2);
    // Above what it was started with.
    const wide = { BACKFILL_MAX_CONCURRENT: 7, BACKFILL_DB_POOL_SIZE: 7 };
    expect(await tuned(running, wide, 7)).toEqual([7, 7]);
    const [atOnce] = await tuned(running, { BACKFILL_MAX_CONCURRENT: 1 }, 1);
    expect(atOnce).toBe(1);
  }, 180_000);

  it("in one process a consumer", async () => {
    await using running = await start("processes", ["--consumers", "process"], { BACKFILL_MAX_CONCURRENT: "3" });
    await running.watch.untilBatches(LOOK_AT_BATCHES);
    expect(await look(running)).toEqual([3, 3]);
    expect(await tuned(running, { BACKFILL_MAX_CONCURRENT: 1 }, 1)).toEqual([1, 1]);
    expect(await tuned(running, { BACKFILL_MAX_CONCURRENT: 2 }, 2)).toEqual([2, 2]);
  }, 180_000);

  it("a slower pace holds within one batch, also for what is planned", async () => {
    await using running = await start("slower", [], { BACKFILL_MAX_CONCURRENT: "3", BACKFILL_DB_POOL_SIZE: "3" });
    await running.watch.untilBatches(10);
    await running.steering.tune({ BACKFILL_BATCH_DELAY_MS: 60_000 });
    await running.watch.reset();
    await new Promise((resolve) => setTimeout(resolve, FOLLOWS_WITHIN_MS));
    // What was in hand, and the one whose slot is now.
    expect((await running.watch.seen()).batches).toBeLessThanOrEqual(3 + 1);
    expect((await running.steering.status()).tunes.at(-1)).toMatchObject({
      by: "tune",
      changes: { BACKFILL_BATCH_DELAY_MS: { from: 0, to: 60_000 } },
    });
  }, 120_000);
});
