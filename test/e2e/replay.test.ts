/**
 * From a relay's socket to rows, by the program as its user starts it, against an independent judge: also with several
 * consumers, each in a process of its own, and when it is killed in the middle.
 */
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { type ReplayRelay, startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assertSameTables } from "../support/compare.ts";
import { isLong } from "@firehose-backfill/testing/long";
import { expectedTables, type Expected } from "../support/oracle.ts";
import { finalSnapshot, runProgram, startProgram, temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";
import { pdsFrames } from "../support/recordings.ts";

const COPIES = isLong ? 8 : 1;
const KILLS = isLong ? 3 : 2;

let folder: TemporaryFolder;
let postgres: Postgres;
let relay: ReplayRelay;
let expected: Expected;
let target: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
  const log = resealedLog({ frames: pdsFrames(), copies: COPIES, seed: "e2e", firstTimeMs: Date.now() - 3_600_000 });
  relay = await startReplayRelay({ frames: log });
  expected = await expectedTables([...log.after(0)].map(({ frame }) => frame));
  target = String(log.headSeq);
}, 120_000);

afterAll(async () => {
  await relay[Symbol.asyncDispose]();
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

function settings(name: string, databaseUrl: string): Record<string, string> {
  return {
    RELAY_URL: relay.url,
    DATABASE_URL: databaseUrl,
    BACKFILL_DATA_DIR: `${folder.path}/${name}`,
    BACKFILL_BATCH_SIZE: "100",
    BACKFILL_BATCH_DELAY_MS: "0",
    BACKFILL_MAX_CONCURRENT: "3",
    BACKFILL_DB_POOL_SIZE: "3",
  };
}

const START = ["start", "--from", "oldest", "--until-done", "--json", "--to"];

describe("a recording of a real PDS, replayed", () => {
  it("leaves exactly the rows that an independent decoder computes", async () => {
    const databaseUrl = await newDatabase("plain");
    const { code, stdout, stderr } = await runProgram([...START, target], settings("plain", databaseUrl));
    expect(stderr).toContain("is succeeded");
    expect(code).toBe(0);
    expect(finalSnapshot(stdout)).toMatchObject({
      status: "succeeded",
      received: expected.events,
      processed: expected.events,
      dead: 0,
    });
    await using database = await openTestDatabase(databaseUrl);
    await assertSameTables(database.query, expected);
  }, 120_000);

  it("also with each consumer in a process of its own", async () => {
    const databaseUrl = await newDatabase("processes");
    const env = settings("processes", databaseUrl);
    const { code } = await runProgram([...START, target, "--consumers", "process"], env);
    expect(code).toBe(0);
    await using database = await openTestDatabase(databaseUrl);
    await assertSameTables(database.query, expected);
  }, 120_000);

  it("also when it is killed in the middle, more than once", async () => {
    const databaseUrl = await newDatabase("killed");
    const env = settings("killed", databaseUrl);
    await using database = await openTestDatabase(databaseUrl);
    let args = [...START, target];
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const program = startProgram(args, env);
      await program.said("Status page");
      args = ["run", "--until-done", "--json"];
      await untilRows(database.query, (expected.records.size * kill) / (KILLS + 1));
      program.child.kill("SIGKILL");
      await program.exited;
    }
    const { code, stdout } = await runProgram(args, env);
    expect(code).toBe(0);
    await assertSameTables(database.query, expected);
    expect(finalSnapshot(stdout)).toMatchObject({ received: expected.events, processed: expected.events, dead: 0 });
  }, 180_000);
});

async function untilRows(query: Parameters<typeof assertSameTables>[0], least: number): Promise<void> {
  for (;;) {
    const rows = await query("select count(*)::int as n from firehose.records", []).catch(() => []);
    if (Number(rows[0]?.["n"] ?? 0) >= least) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
