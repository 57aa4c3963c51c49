/**
 * Events that the database refused, through the whole program: they are dead with a reason, the cause is mended, the
 * operator redrives, and tables and counters are as if nothing had been wrong. What is bad in itself stays dead.
 */
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { serve, startRelay } from "@firehose-backfill/testing/firehose/scripted-relay";
import { migrate } from "@firehose-backfill/sink/schema/migrate";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { encode } from "@ipld/dag-cbor";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { commitFrame, type OpSpec } from "../support/make-frame.ts";
import { runProgram, startProgram, temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { openTestDatabase, type TestDatabase } from "../support/query.ts";

const DID = "did:plc:aliceaaaaaaaaaaaaaaaaaaa";
const OPS: readonly OpSpec[] = [
  ...["fine", "odd-1", "odd-2"].map((rkey): OpSpec => ({ action: "create", path: `a.b.c/${rkey}`, record: { rkey } })),
  { action: "create", path: "a.b.c/nul", block: encode({ text: "a\0b" }) },
];
const FRAMES = OPS.map((op, n) => ({
  seq: n + 1,
  bytes: Buffer.from(commitFrame({ seq: n + 1, did: DID, rev: `3aaaaaaaaa${"abcd"[n] ?? ""}2a`, ops: [op] })),
}));
/** Whatever an operator's own rule is: with it, odd records are refused with 23514. */
const RULE = "ALTER TABLE firehose.records ADD CONSTRAINT no_odd CHECK (rkey NOT LIKE 'odd%')";

let folder: TemporaryFolder;
let postgres: Postgres;
let database: TestDatabase;

beforeAll(async () => {
  folder = await temporaryFolder();
  postgres = await startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true });
  await migrate({ databaseUrl: postgres.databaseUrl });
  database = await openTestDatabase(postgres.databaseUrl);
  await database.query(RULE, []);
}, 60_000);

afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

it("redrives dead events once their cause is mended, and counts each once", async () => {
  await using relay = await startRelay({ onConnect: serve(FRAMES) });
  const env = {
    RELAY_URL: relay.url,
    DATABASE_URL: postgres.databaseUrl,
    BACKFILL_DATA_DIR: `${folder.path}/data`,
    BACKFILL_BATCH_SIZE: "3",
    BACKFILL_BATCH_DELAY_MS: "0",
  };
  const program = startProgram(["start", "--from", "oldest", "--to", String(FRAMES.length)], env);
  await program.said("is succeeded");
  const page = /Status page: (\S+)/.exec(program.stderr())?.[1] ?? "";
  const status = async (): Promise<Snapshot> => JSON.parse(await (await fetch(`${page}/status.json`)).text());
  const tables = async () => ({
    live: (await database.query("SELECT rkey FROM firehose.live_records ORDER BY rkey", [])).map((row) => row["rkey"]),
    dead: (await database.query("SELECT path FROM firehose.dead_events WHERE applied_at IS NULL ORDER BY 1", [])).map(
      (row) => row["path"],
    ),
  });
  const dead = { "database-23514": 2, "nul-character": 1 };
  expect(await status()).toMatchObject({ received: 4, processed: 1, dead: 3, deadReasons: dead });
  expect(await tables()).toEqual({ live: ["fine"], dead: ["a.b.c/nul", "a.b.c/odd-1", "a.b.c/odd-2"] });
  expect(await (await fetch(page)).text()).toContain("database-23514");

  await database.query("ALTER TABLE firehose.records DROP CONSTRAINT no_odd", []);
  // By command and by control event, at the same moment.
  const event = { method: "POST", headers: { "content-type": "application/json" }, body: '{"action":"redrive"}' };
  const [command, answer] = await Promise.all([
    runProgram(["redrive"], env),
    fetch(`${page}/control`, { ...event, headers: { ...event.headers, origin: page } }),
  ]);
  expect([command.code, answer.status]).toEqual([0, 200]);
  expect(command.stdout + command.stderr).toContain("dead events are back in the queue");
  await vi.waitFor(async () => expect(await status()).toMatchObject({ dead: 1, processed: 3 }), { timeout: 30_000 });
  expect(await status()).toMatchObject({ received: 4, deadReasons: { "nul-character": 1 } });
  expect(await tables()).toEqual({ live: ["fine", "odd-1", "odd-2"], dead: ["a.b.c/nul"] });

  expect((await runProgram(["redrive"], env)).code).toBe(0);
  await vi.waitFor(
    async () => expect((await status()).queue).toMatchObject({ ready: 0, inFlight: 0, delayed: 0, deadLetters: 0 }),
    { timeout: 30_000 },
  );
  expect(await status()).toMatchObject({ processed: 3, dead: 1 });
  program.child.kill("SIGTERM");
  expect(await program.exited).toBe(143);
}, 120_000);
