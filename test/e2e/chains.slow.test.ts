/** BACKFILL_VERIFY=chain, from a relay's socket to the status: a frame that the relay withholds is noticed by the next commit. */
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { runServer } from "@firehose-backfill/server/run-server";
import {
  cidOf,
  commitBlock,
  commitFrame,
  DID,
  markerFrame,
  car,
  type TestOp,
} from "@firehose-backfill/testing/firehose/frames";
import { encode } from "@ipld/dag-cbor";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";

const BOB = "did:plc:bobbobbobbobbobbobbobbob";
const path = "app.bsky.feed.post/3kaaaaaaaaa2a";
const root = (n: number) => cidOf(encode({ root: n }));
const rev = (n: number) => `3l3qwxyz22${String.fromCharCode(97 + n)}2a`;
const OPS: readonly TestOp[] = [
  { action: "create", path: "app.bsky.feed.post/3kaaaaaaaaa22" },
  { action: "create", path },
  { action: "update", path, record: { text: "anew" } },
  { action: "delete", path, record: null },
  { action: "create", path: "app.bsky.feed.like/3kaaaaaaaaa2b" },
  { action: "create", path: "app.bsky.feed.post/3kaaaaaaaaa2c" },
];

/** The n-th commit of an account, which connects to the one before. */
function commit(seq: number, did: string, n: number): Buffer {
  const payload = n === 0 ? {} : { since: rev(n - 1), prevData: root(n - 1) };
  return commitFrame({ seq, did, rev: rev(n), ops: [OPS[n] ?? {}], commit: { data: root(n) }, payload });
}

function sync(seq: number, n: number, data: number): Buffer {
  const block = commitBlock({ did: DID, rev: rev(n), data: root(data) });
  return markerFrame("#sync", seq, { rev: rev(n), blocks: car(cidOf(block), [[cidOf(block), block]]) });
}

/** Two accounts in turn. */
const STREAM = OPS.flatMap((_, n) => [commit(2 * n + 1, DID, n), commit(2 * n + 2, BOB, n)]);

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

async function run(name: string, frames: readonly Uint8Array[], settings: Readonly<Record<string, string>> = {}) {
  await using admin = await openTestDatabase(postgres.databaseUrl);
  await admin.query(`create database ${name}`, []);
  const url = new URL(postgres.databaseUrl);
  url.pathname = `/${name}`;
  await using relay = await startReplayRelay({ frames: [...frames] });
  const raw = {
    RELAY_URL: relay.url,
    DATABASE_URL: url.href,
    BACKFILL_DATA_DIR: `${folder.path}/${name}`,
    BACKFILL_VERIFY: "chain",
    BACKFILL_BATCH_DELAY_MS: "0",
    BACKFILL_MAX_MEMORY_MB: "4096",
    PORT: "0",
    ...settings,
  };
  const { exit, snapshot } = await runServer({
    config: parseConfig(raw),
    configure: (values) => parseConfig(raw, { overrides: [{ source: "event", values }] }),
    untilDone: true,
    consumers: "in-process",
    start: { from: "oldest", to: String(STREAM.length + 1), isNew: false, isDryRun: false },
    onSnapshot: () => {},
    log: () => {},
    stop: new AbortController().signal,
  });
  if (snapshot === null) throw new Error("no snapshot");
  const { received, processed, skipped, dead, resyncs } = snapshot;
  expect(received).toBe(processed + dead + Object.values(skipped).reduce((sum, count) => sum + count, 0));
  const asked = resyncs.first.map(({ did, reason, rev: shownBy }) => ({ did, reason, rev: shownBy }));
  return { exit, received, skipped, count: resyncs.count, asked };
}

test("issue 16.1: a stream without a gap requests nothing; each commit counts as one event more", async () => {
  const { exit, received, count } = await run("whole", STREAM);
  expect({ exit, received, count }).toEqual({ exit: "done", received: 2 * STREAM.length, count: 0 });
}, 120_000);

test.each([
  ["create", 1],
  ["update", 2],
  ["delete", 3],
] as const)(
  "issue 16.1: a %s that the relay withholds is noticed by the next commit of that repository",
  async (name, n) => {
    const frames = STREAM.filter((_, index) => index !== 2 * n);
    const { exit, count, asked } = await run(`withheld_${name}`, frames);
    expect({ exit, count, asked }).toMatchObject({ exit: "done", count: 1, asked: [{ did: DID, reason: "chain" }] });
    // The next one that was applied: two consumers may apply the one after it first.
    expect([rev(n + 1), rev(n + 2)]).toContain(asked[0]?.rev);
  },
  120_000,
);

test("issue 16.1: commits are followed that the collection filter drops, and a withheld one among them is noticed", async () => {
  const likes = { BACKFILL_COLLECTIONS: "app.bsky.feed.like" };
  expect(await run("filtered", STREAM, likes)).toMatchObject({
    exit: "done",
    count: 0,
    received: 2 * STREAM.length,
    skipped: { collection: 10 },
  });
  const gap = await run(
    "filtered_gap",
    STREAM.filter((_, index) => index !== 3),
    likes,
  );
  expect(gap.asked).toEqual([{ did: BOB, reason: "chain", rev: rev(2) }]);
}, 120_000);

test("issue 16.1: a #sync with the root that is known requests nothing, one with another root does", async () => {
  const last = STREAM.length + 1;
  expect((await run("sync_same", [...STREAM, sync(last, 6, 5)])).asked).toEqual([]);
  expect((await run("sync_other", [...STREAM, sync(last, 6, 99)])).asked).toEqual([
    { did: DID, reason: "sync", rev: rev(6) },
  ]);
}, 120_000);

test("issue 16.1: the level hash neither follows nor requests", async () => {
  const frames = STREAM.filter((_, index) => index !== 2);
  const { received, count } = await run("hash_level", frames, { BACKFILL_VERIFY: "hash" });
  expect({ received, count }).toEqual({ received: STREAM.length - 1, count: 0 });
}, 120_000);
