/**
 * Ranges of a repository from a source to the tables of a real Postgres: read, packed, sent, applied, counted. The source is
 * made up. The consumer dies at each of its crash points, and the result is the same.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyMessage } from "@firehose-backfill/backfill/apply-message";
import type { CrashPointName, ReaderDeps } from "@firehose-backfill/backfill/deps";
import { newRun } from "@firehose-backfill/backfill/new-run";
import { runTick } from "@firehose-backfill/backfill/run-tick";
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { cidOf, cidToText } from "@firehose-backfill/core/cid";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { isFinished } from "@firehose-backfill/core/run-state";
import type { FirehoseEvent, RangeEvent, RecordEvent } from "@firehose-backfill/core/event";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { openDatabase } from "@firehose-backfill/sink-postgres/connection";
import { openSink } from "@firehose-backfill/sink-postgres/open-sink";
import { createSink } from "@firehose-backfill/sink-postgres/sink";
import type { SinkRow } from "@firehose-backfill/sink/rows";
import { cursorAt } from "@firehose-backfill/source/cursor";
import { SurveyError } from "@firehose-backfill/source/survey";
import type { EventSource } from "@firehose-backfill/source/window";
import { quietConsumer } from "@firehose-backfill/testing/backfill/consumer";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

let folder: string;
let postgres: Postgres;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ranges-"));
  postgres = await startPostgres({ dataDir: folder, throwaway: true });
  await openSink(postgres.databaseUrl).migrate();
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => rows("truncate firehose.records, firehose.repos, firehose.dead_events"));

async function rows(sql: string) {
  await using database = openDatabase({ databaseUrl: postgres.databaseUrl, poolSize: 1 });
  return database.use([{ sql }], async (_session, [result]) => result?.rows ?? []);
}

const DID = "did:plc:alice";
const [OLD, NEW] = ["3l2222222222a", "3l3333333333a"];
const [POSTS, LIKES] = ["app.bsky.feed.post", "app.bsky.feed.like"];
const EMPTY_MAP = Buffer.from([0xa0]);
const CID = cidOf(EMPTY_MAP);

function record(rkey: string, its: Partial<RecordEvent> = {}): RecordEvent {
  const at = { seq: 0, timeMs: Date.UTC(2025, 0, 1), did: DID };
  const key = { collection: POSTS, rkey, rev: NEW };
  return { kind: "record", ...at, action: "create", ...key, cid: CID, record: EMPTY_MAP, ...its };
}

function range(collection: string | null, from: string, to: string, records: number): RangeEvent {
  const at = { seq: 0, timeMs: Date.UTC(2026, 0, 1), did: DID };
  return { kind: "range", ...at, rev: NEW, collection, from, to, sinceTid: null, records };
}

/** Twelve posts, one of which cannot be read, and nothing else. */
const NAMES = Array.from({ length: 12 }, (_, n) => `p${String(n).padStart(2, "0")}`);
const BAD = "p07";
const WALK: readonly FirehoseEvent[] = [
  range(null, "", `${POSTS}/`, 0),
  range(POSTS, `${POSTS}/`, `${POSTS}0`, NAMES.length),
  ...NAMES.map((name) => record(name, name === BAD ? { record: Buffer.from([0xa1]) } : {})),
  range(null, `${POSTS}0`, "\u007f", 0),
];
/** In the table before: half of the posts, four that were deleted meanwhile, and seven likes that were, too. */
const BEFORE = [
  ...NAMES.slice(0, 6),
  BAD,
  ...["gone1", "gone2", "gone3", "p99"].map((name) => name),
  ...Array.from({ length: 7 }, (_, n) => `like${n}`),
];

function rowBefore(rkey: string, index: number): SinkRow {
  const collection = rkey.startsWith("like") ? LIKES : POSTS;
  const key = { did: DID, collection, rkey, rev: OLD, seq: index + 1, timeMs: Date.UTC(2024, 0, 1) };
  return { kind: "record", action: "create", ...key, cid: "before", json: '{"old":true}' };
}

function sourceOf(walk: readonly FirehoseEvent[]): EventSource {
  return {
    readWindow: async () => {
      const to = cursorAt(1, Date.UTC(2026, 0, 1));
      const nothing = { skipped: {}, unknown: 0, state: null, keptSinceMs: null, startKeptSinceMs: null, gaps: [] };
      const received = walk.filter(({ kind }) => kind !== "range").length;
      return {
        events: EventLog.of(walk),
        received,
        units: 1,
        to,
        first: to,
        ...nothing,
        verdict: { kind: "end", word: "done" },
      };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Which visits of its point end a consumer. No batch fails five times. */
const DEATHS: ReadonlySet<number> = new Set([1, 2, 3, 5, 8, 9, 12, 14, 15]);

/** A whole run, in which consumers die at that point. */
async function run(dies: CrashPointName | null, delayMs: number) {
  const clock = new VirtualClock(Date.UTC(2026, 5, 1));
  const store = createMemoryStore();
  const queue = createMemoryQueue({ clock, random: () => 0.5, encode: true, visibilitySeconds: 10 });
  const settings = { BACKFILL_BATCH_SIZE: "5", BACKFILL_BATCH_DELAY_MS: String(delayMs) };
  const source = { kind: "repos", host: "pds" };
  const created = await store.createRun({
    ...newRun(parseConfig(settings), { runId: "run", nowMs: clock.now() }),
    source,
  });
  const reader: ReaderDeps = {
    clock,
    random: () => 0.5,
    store,
    queue,
    sources: { repos: { open: () => sourceOf(WALK), survey: () => Promise.reject(new SurveyError("made up")) } },
    memory: quietConsumer({ clock, store, queue }).memory,
    timing: {
      tickMs: 60_000,
      tickBudgetMs: 50_000,
      leastReadAheadMs: 0,
      leaseTtlMs: 150_000,
      lostAfterMs: 180_000,
      lookAgainMs: 60_000,
    },
    offPeak: null,
    limits: null,
    owner: "test",
    log: () => {},
  };
  await using sink = createSink({
    databaseUrl: postgres.databaseUrl,
    poolSize: 2,
    clock,
    random: () => 0,
    throttleQuery: null,
  });
  const key = { runId: "before", generation: 1, window: 1, fence: 1, number: 0 };
  const lock = { name: "before", maxConcurrent: 1, isOnTime: () => true };
  await sink.apply(key, BEFORE.map(rowBefore), { lock, host: "relay" });

  let [visits, deaths] = [0, 0];
  const crashPoint = (name: CrashPointName) => {
    if (name !== dies || !DEATHS.has((visits += 1))) return;
    deaths += 1;
    throw new Error(`dies at ${name}`);
  };
  const consumer = quietConsumer({ clock, store, queue, sink, crashPoint });
  const stop = new AbortController();
  const work: { atMs: number }[] = [];
  const counted = {
    ...consumer,
    sink: {
      ...sink,
      apply: async (...args: Parameters<typeof sink.apply>) => {
        work.push({ atMs: clock.now() });
        return sink.apply(...args);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
  };
  for (let look = 0; look < 2000; look += 1) {
    const now = await store.getRun(created.runId);
    if (now !== null && isFinished(now.status)) return { totals: now.totals, status: now.status, deaths, work };
    if (look % 30 === 0) await runTick(reader, { firstRuns: null, signal: stop.signal });
    for (const message of await queue.receive({ max: 10, waitSeconds: 0 })) {
      const applying = applyMessage(counted, message, { signal: stop.signal }).then(() => true);
      // Postgres answers in its own time; what waits for a slot waits for the clock.
      const aMoment = () => new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 20));
      while (!(await Promise.race([applying, aMoment()]))) await clock.advance(500);
    }
    await clock.advance(2_000);
  }
  throw new Error("the run does not end");
}

const table = () =>
  rows(`SELECT rkey, cid, rev, seq FROM firehose.records ORDER BY collection, rkey`).then((all) =>
    all.map((row) => row.join(" ")),
  );

function expected(): string[] {
  const posts = [...NAMES, "gone1", "gone2", "gone3", "p99"].toSorted().map((name) => {
    if (name === BAD) return `${name} before ${OLD} ${BEFORE.indexOf(BAD) + 1}`;
    return NAMES.includes(name) ? `${name} ${cidToText(CID)} ${NEW} ` : `${name}  ${NEW} `;
  });
  return [...Array.from({ length: 7 }, (_, n) => `like${n}  ${NEW} `), ...posts];
}

describe("issue 15.3: ranges from a source to the tables", () => {
  test.each([
    ["at no point", null, 0],
    ["at no point, paced", null, 1000],
    ["with the lock held", "after-lock", 0],
    ["after a commit", "after-commit", 0],
    ["after a commit, paced", "after-commit", 1000],
    ["after the ledger", "after-ledger", 1000],
    ["before the message goes", "before-delete", 0],
  ] as const)("a consumer that dies %s: the same rows, each counted once", async (_name, point, delayMs) => {
    const { totals, status, deaths, work } = await run(point, delayMs);
    expect(status).toBe("succeeded");
    expect(await table()).toEqual(expected());
    expect(totals).toMatchObject({
      // Twelve records and eleven rows that went; the one that cannot be read is dead, and is not removed.
      received: 23,
      processed: 22,
      dead: 1,
      deadReasons: { "hash-mismatch": 1 },
    });
    expect(totals.stale).toBe(0);
    expect(deaths > 0).toBe(point !== null);
    expect(work.length).toBeGreaterThan(4);
    expect(await rows("SELECT jsonb_array_length(proved) FROM firehose.repos")).toEqual([["1"]]);
    expect(await rows("SELECT reason, path, seq FROM firehose.dead_events")).toEqual([
      ["hash-mismatch", `${POSTS}/${BAD}`, "0"],
    ]);
  });
});
