/**
 * The views on real Postgres: with recorded records, and with records as odd as anybody can write them. Every statement
 * of docs/views.md is run, and the plan's guess of how large the tables get is held against a table.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databaseBytes } from "@firehose-backfill/backfill/plan/database-size";
import { toRows } from "@firehose-backfill/backfill/to-rows";
import { systemClock } from "@firehose-backfill/core/clock";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { extracted } from "@firehose-backfill/testing/firehose/extracted";
import { compileFilter } from "@firehose-backfill/firehose/filter";
import { readFrame } from "@firehose-backfill/firehose/frame";
import { listApplied } from "@firehose-backfill/sink-postgres/applied";
import { openChanges } from "@firehose-backfill/sink-postgres/changes";
import { type Database, openDatabase } from "@firehose-backfill/sink-postgres/connection";
import { openSink } from "@firehose-backfill/sink-postgres/open-sink";
import { COUNT_VIEW_NAMES, VIEW_NAMES } from "@firehose-backfill/sink-postgres/schema/more-views";
import { createSink } from "@firehose-backfill/sink-postgres/sink";
import type { SinkRow } from "@firehose-backfill/sink/rows";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mixedFrames, pdsFrames } from "./support/recordings.ts";

const OLD_SERVER = "/usr/lib/postgresql/15/bin";
const SERVERS: readonly { readonly name: string; readonly binDir?: string }[] = [
  { name: "Postgres 18" },
  ...(existsSync(OLD_SERVER) ? [{ name: "Postgres 15", binDir: OLD_SERVER }] : []),
];

const everything = compileFilter({ collections: [], dids: [] });

function rowsOf(frames: readonly Uint8Array[]): SinkRow[] {
  const rules = { filter: everything, verify: "hash", isAhead: () => false } as const;
  return frames.flatMap((bytes) => {
    const buffer = Buffer.from(bytes);
    const frame = readFrame(buffer);
    if (!("did" in frame)) throw new Error(`a ${frame.kind} frame`);
    return toRows(extracted(frame, rules).events, "hash");
  });
}

/** A record of that collection, as JSON text. */
function odd(seq: number, collection: string, record: unknown, rkey = `odd${seq}`): SinkRow {
  const did = "did:plc:odd";
  const rest = {
    rev: `3zzzzzzzzz${String(seq).padStart(3, "2")}`,
    seq: 10_000_000 + seq,
    timeMs: Date.UTC(2026, 0, 1),
  };
  const json = JSON.stringify(record);
  return { kind: "record", action: "create", did, collection, rkey, cid: `cid${seq}`, json, ...rest };
}

const POST = "app.bsky.feed.post";
const ODD_TIMES = [
  "2026-02-30T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-01-01T24:00:00Z",
  "2026-01-01T00:00:60Z",
  "2026-01-01",
  "yesterday",
  "infinity",
  "0000-01-01T00:00:00Z",
  "2026-01-01T00:00:00+99:00",
  "",
  5,
  null,
  {},
  ["2026-01-01T00:00:00Z"],
];

describe.each(SERVERS)("views on $name", ({ binDir }) => {
  let folder: string;
  let postgres: Postgres;
  let database: Database;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "views-"));
    postgres = await startPostgres({ dataDir: folder, throwaway: true, ...(binDir === undefined ? {} : { binDir }) });
    await openSink(postgres.databaseUrl).migrate();
    database = openDatabase({ databaseUrl: postgres.databaseUrl, poolSize: 1 });
  }, 60_000);

  afterAll(async () => {
    await database[Symbol.asyncDispose]();
    await postgres[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function apply(rows: readonly SinkRow[]): Promise<void> {
    const { databaseUrl } = postgres;
    const options = { clock: systemClock, random: Math.random, throttleQuery: null };
    await using sink = createSink({ databaseUrl, poolSize: 1, ...options });
    for (let at = 0; at < rows.length; at += 500) {
      const part = rows.slice(at, at + 500);
      const result = await sink.apply({ runId: "r", generation: 1, window: 1, fence: 1, number: at }, part, {
        lock: { name: "r", maxConcurrent: 1, isOnTime: () => true },
      });
      expect(result.kind).toBe("applied");
    }
  }

  async function ask(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    return await database.use([{ sql }], async (_session, [result]) => result?.rows ?? []);
  }

  test("the tables are about as large as a plan says", async () => {
    await apply(rowsOf(pdsFrames()));
    await ask("VACUUM (ANALYZE) firehose.records");
    const [[rows, size] = []] = await ask(
      "SELECT count(*), pg_total_relation_size('firehose.records') FROM firehose.records",
    );
    const recordBytes = recordBytesOf(pdsFrames());
    const guess = databaseBytes({ rows: Number(rows), recordBytes });
    expect(guess / Number(size)).toBeGreaterThan(0.75);
    expect(guess / Number(size)).toBeLessThan(1.33);
  });

  test("every record of a recording is in its view, with its columns", async () => {
    await apply(rowsOf(mixedFrames()));
    const counts = await ask(
      `SELECT name, (xpath('/row/c/text()', query_to_xml('SELECT count(*) AS c FROM firehose.' || name, false, true, '')))[1]::text
       FROM unnest('{${VIEW_NAMES.join(",")}}'::text[]) AS name`,
    );
    const live = await ask("SELECT collection, count(*) FROM firehose.live_records GROUP BY 1");
    const of = new Map(live.map(([collection, count]) => [collection, Number(count)]));
    const inViews = Object.fromEntries(counts.map(([name, count]) => [name, Number(count)]));
    expect(inViews).toMatchObject({
      posts: of.get(POST) ?? 0,
      likes: of.get("app.bsky.feed.like") ?? 0,
      reposts: of.get("app.bsky.feed.repost") ?? 0,
      follows: of.get("app.bsky.graph.follow") ?? 0,
      blocks: of.get("app.bsky.graph.block") ?? 0,
      lists: of.get("app.bsky.graph.list") ?? 0,
      list_items: of.get("app.bsky.graph.listitem") ?? 0,
    });
    for (const name of ["posts", "likes", "follows", "profiles"]) expect(inViews[name]).toBeGreaterThan(0);
    const unread = await ask(
      `SELECT (SELECT count(*) FROM firehose.posts WHERE text IS NULL OR created_at IS NULL),
        (SELECT count(*) FROM firehose.likes WHERE subject NOT LIKE 'at://%' OR subject_did NOT LIKE 'did:%'),
        (SELECT count(*) FROM firehose.follows WHERE subject NOT LIKE 'did:%' OR created_at IS NULL)`,
    );
    expect(unread).toEqual([["0", "0", "0"]]);
  });

  test("times with a zone are read, everything else is NULL", async () => {
    const good = ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456789Z", "2024-02-29T23:59:59+05:30"];
    await apply([...good, ...ODD_TIMES].map((createdAt, index) => odd(index, POST, { text: "t", createdAt })));
    const times = await ask(
      "SELECT created_at AT TIME ZONE 'UTC' FROM firehose.posts WHERE did = 'did:plc:odd' ORDER BY seq",
    );
    expect(times.flat()).toEqual([
      "2026-01-02 03:04:05",
      "2026-01-02 03:04:05.123457",
      "2024-02-29 18:29:59",
      ...ODD_TIMES.map(() => null),
    ]);
  });

  test("no record can make a view fail", async () => {
    const shapes: readonly unknown[] = [
      {},
      [],
      "text",
      5,
      null,
      { text: 5, langs: "en", tags: {}, reply: [], embed: "x", subject: { uri: [] }, createdAt: {} },
      { text: { a: 1 }, langs: [1, null, ["x"], {}], reply: { parent: 1 }, embed: { record: [] }, subject: [] },
      { subject: { uri: "no uri" }, avatar: { ref: 1 }, list: {}, purpose: [] },
      {
        facets: [1, { features: 5 }, { features: [1, {}, { $type: 5 }], index: { byteStart: "x", byteEnd: 1e300 } }],
        embed: {
          $type: "app.bsky.embed.images",
          images: [1, { image: [] }, { aspectRatio: { width: 1.5, height: -1 } }],
        },
        feeds: [5, { uri: [] }],
        allow: [null, { $type: 5 }],
      },
      {
        embed: { $type: "app.bsky.embed.video", video: 5, aspectRatio: [], alt: {} },
        policies: 5,
        feeds: {},
        allow: "x",
      },
      { embed: { $type: "app.bsky.embed.external", external: [] }, policies: { labelValues: [{}, null] } },
      { embed: { record: { uri: "at://did:plc:x/app.bsky.feed.post/3" } }, hiddenReplies: 5, embeddingRules: [[]] },
    ];
    const collections = ["feed.post", "feed.like", "feed.repost", "graph.follow", "graph.block", "graph.list"];
    const added = ["feed.generator", "graph.starterpack", "feed.threadgate", "feed.postgate", "graph.listblock"];
    const all = [...collections, "graph.listitem", "actor.profile", ...added, "graph.verification"].map(
      (name) => `app.bsky.${name}`,
    );
    await apply(shapes.flatMap((shape, at) => all.map((name, index) => odd(100 + at * 20 + index, name, shape))));
    await apply([odd(999, "app.bsky.actor.profile", shapes[5], "self")]);
    await apply([odd(998, "app.bsky.labeler.service", shapes[9], "self")]);
    for (const name of VIEW_NAMES) {
      const [[count] = []] = await ask(`SELECT count(v::text) FROM firehose.${name} AS v WHERE did = 'did:plc:odd'`);
      expect({ name, isEmpty: Number(count) === 0 }).toEqual({ name, isEmpty: false });
    }
    for (const name of COUNT_VIEW_NAMES) {
      const [[count] = []] = await ask(`SELECT count(v::text) FROM firehose.${name} AS v`);
      expect({ name, isEmpty: Number(count) === 0 }).toEqual({ name, isEmpty: false });
    }
  });

  test("what is deleted, or whose account is not active, is in no view", async () => {
    const key = {
      kind: "record",
      did: "did:plc:odd",
      collection: POST,
      seq: 20_000_000,
      timeMs: Date.UTC(2026, 1, 1),
    } as const;
    await apply([{ ...key, action: "delete", rkey: "odd0", rev: "3zzzzzzzzzzzz", cid: null, json: null }]);
    expect(await ask("SELECT count(*) FROM firehose.posts WHERE rkey = 'odd0'")).toEqual([["0"]]);
    const { did, seq, timeMs } = key;
    await apply([{ kind: "account", did, seq: seq + 1, timeMs, active: false, status: "suspended" }]);
    expect(await ask("SELECT count(*) FROM firehose.posts WHERE did = 'did:plc:odd'")).toEqual([["0"]]);
  });

  test("every statement of docs/views.md runs, and its indexes serve the views", async () => {
    const page = readFileSync(new URL("../docs/views.md", import.meta.url), "utf8");
    const statements = [...page.matchAll(/```sql\n([^`]*)```/g)].map(([, sql = ""]) => sql);
    expect(statements.length).toBeGreaterThan(8);
    const [[token = ""] = []] = await ask("SELECT firehose.change_token()");
    for (const sql of statements.flatMap(splitStatements))
      await ask(sql.replaceAll("'TOKEN'", `'${token}'`).replaceAll("'NEXT'", `'${token}'`));
    const planOf = async (sql: string) => {
      const lines = await database.use([{ sql: "SET enable_seqscan = off" }], async (session) => {
        const [, explained] = await session.run([{ sql: "SELECT 1" }, { sql: `EXPLAIN ${sql}` }, { sql: "RESET ALL" }]);
        return explained?.rows ?? [];
      });
      return lines.flat().join("\n");
    };
    expect(await planOf("SELECT * FROM firehose.likes WHERE subject = 'at://x'")).toContain("my_likes");
    expect(await planOf("SELECT * FROM firehose.follows WHERE subject = 'did:x'")).toContain("my_followers");
    expect(await planOf("SELECT * FROM firehose.records WHERE seq > 1000")).toContain("records_order");
    const words = "SELECT did FROM firehose.posts WHERE to_tsvector('simple', text) @@ to_tsquery('simple', 'a')";
    expect(await planOf(words)).toContain("my_words");
  });

  test("the last ones that were applied, and what came since", async () => {
    const last = await listApplied({ database, limit: 3 });
    const numbers = last.map(({ seq }) => seq ?? 0);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(last.at(-1)).toMatchObject({
      seq: 20_000_000,
      isDeleted: true,
      record: null,
      time: "2026-02-01T00:00:00.000Z",
    });
    const short = await listApplied({ database, limit: 2, maxRecordChars: 10 });
    expect(short[0]?.record).toHaveLength(10);
    const feed = openChanges(database);
    const token = await feed.now();
    await apply([odd(5000, POST, {}), odd(5001, POST, { text: "t" })]);
    const { entries } = await feed.changes(token, 2);
    expect(entries.map((entry) => (entry.kind === "record" ? entry.seq : null))).toEqual([10_005_000, 10_005_001]);
  });
});

/** Of those that are there in the end: a later record of the same key replaces an earlier one. */
function recordBytesOf(frames: readonly Uint8Array[]): number {
  const sizes = new Map<string, number>();
  for (const bytes of frames) {
    const buffer = Buffer.from(bytes);
    const frame = readFrame(buffer);
    if (!("did" in frame)) continue;
    const rules = { filter: everything, verify: "structure", isAhead: () => false } as const;
    for (const event of extracted(frame, rules).events) {
      if (event.kind !== "record") continue;
      sizes.set(`${event.did}/${event.collection}/${event.rkey}`, event.record?.length ?? 0);
    }
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** At semicolons that end a line outside of a body. */
function splitStatements(sql: string): readonly string[] {
  return sql.includes("$$") ? sql.split(/;\n(?=GRANT)/) : sql.split(/;\n/).filter((part) => part.trim() !== "");
}
