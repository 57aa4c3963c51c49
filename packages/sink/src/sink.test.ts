/** The promises of the tables, on real servers. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Postgres, startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "./connection.ts";
import { countDead, listDead, removeDead } from "./dead-events.ts";
import type { PostgresSink } from "./sink.ts";
import {
  accountRow,
  createDatabase,
  DAY_MS,
  deadRow,
  identityRow,
  query,
  recordRow,
  request,
  revOf,
  SERVERS,
  START_MS,
  syncRow,
  testSink,
} from "./testing.ts";
import { removeOldTombstones } from "./tombstones.ts";
import type { ApplyRequest, SinkRow } from "./types.ts";

describe.each(SERVERS)("on $name", ({ binDir }) => {
  let folder: string;
  let server: Postgres;
  let databaseUrl: string;
  let sink: PostgresSink;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sink-"));
    server = await startPostgres({ dataDir: folder, throwaway: true, ...(binDir === undefined ? {} : { binDir }) });
    databaseUrl = await createDatabase(server.databaseUrl, { settings: ["synchronous_commit = off"] });
    sink = testSink(databaseUrl, { poolSize: 4 });
  });

  afterAll(async () => {
    await sink[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    await sql("DELETE FROM firehose.records");
    await sql("DELETE FROM firehose.repos");
    await sql("DELETE FROM firehose.dead_events");
  });

  /** First columns of all rows. */
  async function sql(text: string): Promise<readonly (readonly (string | null)[])[]> {
    return sink.database.use([{ sql: text }], async (_session, [result]) => result?.rows ?? []);
  }

  async function apply(...rows: SinkRow[]): Promise<{ applied: number; stale: number; dead: number }> {
    const result = await sink.apply(request(rows));
    if (result.kind !== "applied") throw new Error(`expected applied, got ${result.kind}`);
    const { applied, stale, dead } = result.counts;
    expect(applied + stale + dead).toBe(rows.length);
    return { applied, stale, dead };
  }

  const live = () => sql("SELECT rkey, cid, record->>'text' FROM firehose.live_records ORDER BY did, collection, rkey");

  describe("records", () => {
    test("are stored as they came", async () => {
      expect(await apply(recordRow(1, { rkey: "a" }))).toEqual({ applied: 1, stale: 0, dead: 0 });
      const [row] = await sql(
        `SELECT did, collection, rkey, cid, rev, seq, record, extract(epoch FROM indexed_at) * 1000 FROM firehose.records`,
      );
      expect(row).toEqual([
        "did:plc:alice",
        "app.bsky.feed.post",
        "a",
        "cid1",
        revOf(1),
        "1",
        '{"text": "record 1", "$type": "app.bsky.feed.post"}',
        `${START_MS + 1000}.000000`,
      ]);
    });

    test("a newer revision replaces, an older one and the same one are stale", async () => {
      await apply(recordRow(2, { rkey: "a" }));
      expect(await apply(recordRow(1, { rkey: "a" }))).toEqual({ applied: 0, stale: 1, dead: 0 });
      expect(await apply(recordRow(2, { rkey: "a" }))).toEqual({ applied: 0, stale: 1, dead: 0 });
      expect(await apply(recordRow(3, { rkey: "a", action: "update" }))).toEqual({ applied: 1, stale: 0, dead: 0 });
      expect(await live()).toEqual([["a", "cid3", "record 3"]]);
    });

    test("a delete that comes first leaves a tombstone for the create that comes late", async () => {
      expect(await apply(recordRow(2, { rkey: "a", action: "delete" }))).toMatchObject({ applied: 1 });
      expect(await apply(recordRow(1, { rkey: "a" }))).toMatchObject({ stale: 1 });
      expect(await live()).toEqual([]);
      expect(await sql("SELECT rkey, cid, record, rev FROM firehose.records")).toEqual([["a", null, null, revOf(2)]]);
    });

    test("a row that a newer one of its own batch replaces is stale", async () => {
      const rows = [
        recordRow(1, { rkey: "a" }),
        recordRow(3, { rkey: "a" }),
        recordRow(2, { rkey: "a" }),
        recordRow(4),
      ];
      expect(await apply(...rows)).toEqual({ applied: 2, stale: 2, dead: 0 });
      expect(await live()).toEqual([
        ["a", "cid3", "record 3"],
        ["rkey4", "cid4", "record 4"],
      ]);
    });

    test("revisions compare byte by byte", async () => {
      await apply(recordRow(1, { rkey: "a", rev: "3lZ" }));
      expect(await apply(recordRow(2, { rkey: "a", rev: "3la" }))).toMatchObject({ applied: 1 });
      expect(await apply(recordRow(3, { rkey: "a", rev: "3lB" }))).toMatchObject({ stale: 1 });
    });

    test("quotes, braces and backslashes are nothing special", async () => {
      const text = `'); DROP TABLE x; -- \\ "}, {"did": "evil" $1 é 🦋`;
      await apply(recordRow(1, { rkey: text, json: JSON.stringify({ text }) }));
      expect(await live()).toEqual([[text, "cid1", text]]);
    });

    test("their repo keeps the newest revision, of stale ones as well", async () => {
      await apply(recordRow(2), recordRow(1));
      expect(await sql("SELECT did, rev FROM firehose.repos")).toEqual([["did:plc:alice", revOf(2)]]);
      await apply(recordRow(1, { rkey: "late" }));
      expect(await sql("SELECT rev FROM firehose.repos")).toEqual([[revOf(2)]]);
    });
  });

  describe("markers", () => {
    test("each kind is guarded by its own time", async () => {
      expect(await apply(identityRow(5, { handle: "new.test" }), accountRow(3))).toMatchObject({ applied: 2 });
      expect(await apply(identityRow(4, { handle: "old.test" }))).toMatchObject({ stale: 1 });
      expect(await apply(accountRow(4, { active: false, status: "suspended" }))).toMatchObject({ applied: 1 });
      expect(await apply(accountRow(4, { active: false, status: "suspended" }))).toMatchObject({ stale: 1 });
      expect(await sql("SELECT handle, handle_seq, active, status, status_seq FROM firehose.repos")).toEqual([
        ["new.test", "5", "f", "suspended", "4"],
      ]);
    });

    test("an identity without a handle leaves the handle alone, also before it is known", async () => {
      expect(await apply(identityRow(2, { handle: null }))).toEqual({ applied: 1, stale: 0, dead: 0 });
      expect(await apply(identityRow(1, { handle: "a.test" }))).toMatchObject({ applied: 1 });
      expect(await apply(identityRow(3, { handle: null }))).toMatchObject({ applied: 1 });
      expect(await sql("SELECT handle, handle_seq FROM firehose.repos")).toEqual([["a.test", "1"]]);
    });

    test("a sync raises the revision and never lowers it", async () => {
      expect(await apply(syncRow(5))).toMatchObject({ applied: 1 });
      expect(await apply(syncRow(4), syncRow(3))).toEqual({ applied: 0, stale: 2, dead: 0 });
      expect(await sql("SELECT rev FROM firehose.repos")).toEqual([[revOf(5)]]);
    });

    test("an inactive account hides its records, an active one shows them again", async () => {
      await apply(recordRow(1, { rkey: "a" }), accountRow(2, { active: false, status: "takendown" }));
      expect(await live()).toEqual([]);
      await apply(accountRow(3));
      expect(await live()).toEqual([["a", "cid1", "record 1"]]);
    });

    test("a deletion removes what was there before it and nothing else", async () => {
      await apply(
        recordRow(1, { rkey: "old" }),
        recordRow(2, { rkey: "gone", action: "delete" }),
        recordRow(3, { did: "did:plc:bob" }),
      );
      expect(await apply(accountRow(4, { active: false, status: "deleted" }))).toEqual({
        applied: 1,
        stale: 0,
        dead: 0,
      });
      expect(await sql("SELECT did FROM firehose.records")).toEqual([["did:plc:bob"]]);
      expect(await apply(recordRow(2, { rkey: "late" }))).toEqual({ applied: 0, stale: 1, dead: 0 });
      expect(await apply(recordRow(5, { rkey: "new" }), accountRow(6))).toMatchObject({ applied: 2 });
      expect((await live()).map(([rkey]) => rkey)).toEqual(["new", "rkey3"]);
    });

    test("a deletion still purges when a newer marker came before it", async () => {
      await apply(accountRow(9), recordRow(1, { rkey: "old" }), recordRow(8, { rkey: "new" }));
      expect(await apply(accountRow(5, { active: false, status: "deleted" }))).toMatchObject({ applied: 1 });
      expect((await live()).map(([rkey]) => rkey)).toEqual(["new"]);
      expect(await sql("SELECT active, purged_seq FROM firehose.repos")).toEqual([["t", "5"]]);
      expect(await apply(accountRow(5, { active: false, status: "deleted" }))).toMatchObject({ stale: 1 });
    });

    test("in one batch, a deletion applies to the operations around it as it would in order", async () => {
      const deleted = accountRow(2, { active: false, status: "deleted" });
      const rows = [recordRow(3, { rkey: "after" }), deleted, recordRow(1, { rkey: "before" }), accountRow(4)];
      expect(await apply(...rows)).toEqual({ applied: 3, stale: 1, dead: 0 });
      expect((await live()).map(([rkey]) => rkey)).toEqual(["after"]);
    });
  });

  describe("what the database refuses", () => {
    const refused = [
      ["a NUL in a record", "22P05", { json: String.raw`{"text":"a\u0000b"}` }],
      ["half a surrogate pair", "22P02", { json: String.raw`{"text":"\ud800"}` }],
      ["a number too large for jsonb", "22003", { json: `{"n":1e131072}` }],
      ["a record that is not JSON", "22P02", { json: "{" }],
      ["a NUL in a key", "22P05", { rkey: "a\0b" }],
      ["a NUL in a did", "22P05", { did: "did:\0" }],
      ["a key of more than 2,600 bytes", "54000", { rkey: noise(4000) }],
      ["a time beyond the calendar", "22008", { timeMs: 9e18 }],
      ["no time at all", "23502", { timeMs: Number.NaN }],
      ["a create without a record", "23514", { json: null }],
    ] as const;

    test.each(refused)("%s is set aside (%s), and the rest is applied", async (_name, sqlState, fields) => {
      const rows = Array.from({ length: 9 }, (_, n) => recordRow(n, n === 6 ? fields : {}));
      expect(await apply(...rows)).toEqual({ applied: 8, stale: 0, dead: 1 });
      expect(await live()).toHaveLength(8);
      const [dead] = await listDead(sink.database, { runId: "run-1", limit: 10 });
      expect(dead).toMatchObject({ seq: 6, reason: `database-${sqlState}` });
      expect(Buffer.from(dead?.payload ?? []).toString()).toContain('"kind":"record"');
    });

    test("several at once, among markers and dead rows, with counts that add up", async () => {
      const rows: SinkRow[] = [
        ...Array.from({ length: 20 }, (_, n) => recordRow(n, n % 7 === 0 ? { rkey: `\0${n}` } : {})),
        recordRow(1, { rkey: "rkey2" }),
        accountRow(30, { active: false, status: "a\0" }),
        identityRow(31),
        deadRow(32),
      ];
      expect(await apply(...rows)).toEqual({ applied: 18, stale: 1, dead: 5 });
      expect(await countDead(sink.database, "run-1")).toEqual({ "database-22P05": 4, "missing-block": 1 });
    });

    test("a batch of nothing else", async () => {
      const rows = Array.from({ length: 5 }, (_, n) => recordRow(n, { json: "?" }));
      expect(await apply(...rows)).toEqual({ applied: 0, stale: 0, dead: 5 });
      expect(await sql("SELECT count(*) FROM firehose.repos")).toEqual([["0"]]);
    });
  });

  describe("dead events", () => {
    test("are written once, however often their batch comes", async () => {
      const rows = [deadRow(1), deadRow(2, { did: null, path: null }), recordRow(3, { json: "?" })];
      expect(await apply(...rows)).toMatchObject({ dead: 3 });
      expect(await apply(...rows)).toMatchObject({ dead: 3 });
      expect(await sql("SELECT count(*) FROM firehose.dead_events")).toEqual([["3"]]);
    });

    test("take what can be stored nowhere else", async () => {
      const awful = { did: "\0", path: `\ud800${noise(9000)}`, reason: "bad-\0", error: "\udfff", seq: Number.NaN };
      expect(await apply(deadRow(1, { ...awful, payload: new Uint8Array(20_000).fill(7) }))).toMatchObject({ dead: 1 });
      const [dead] = await listDead(sink.database, { runId: "run-1", limit: 10 });
      expect(dead).toMatchObject({ seq: 0, did: "\u{FFFD}", reason: "bad-\u{FFFD}", error: "\u{FFFD}" });
      expect(dead?.payload).toEqual(new Uint8Array(16_384).fill(7));
    });

    test("are listed in the order of the stream, by run and reason, a page at a time, and removed", async () => {
      await apply(...[4, 2, 3, 1].map((n) => deadRow(n, { reason: n === 3 ? "bad-frame" : "missing-block" })));
      await sink.apply(request([deadRow(9)], { runId: "run-2" }));
      const list = (options: object) => listDead(sink.database, { runId: "run-1", limit: 10, ...options });
      const first = await list({ limit: 2 });
      expect(first.map(({ seq }) => seq)).toEqual([1, 2]);
      const [, last] = first;
      expect((await list({ after: last })).map(({ seq }) => seq)).toEqual([3, 4]);
      expect((await list({ reason: "bad-frame" })).map(({ seq }) => seq)).toEqual([3]);
      expect(first[0]).toMatchObject({ path: "a.b.c/d", payload: Uint8Array.of(0, 1, 255) });
      expect(new Date(first[0]?.createdAt ?? "").getTime()).toBeGreaterThan(START_MS);
      expect(
        await removeDead(
          sink.database,
          first.map(({ id }) => id),
        ),
      ).toBe(2);
      expect(await countDead(sink.database, "run-1")).toEqual({ "bad-frame": 1, "missing-block": 1 });
    });
  });

  describe("the lock of a run", () => {
    test("none free: busy, and nothing is written", async () => {
      await withBatchInHand({ maxConcurrent: 1 }, async () => {
        expect(await sink.apply(request([recordRow(2)], { maxConcurrent: 1 }))).toEqual({ kind: "busy" });
      });
      expect(await apply(recordRow(2))).toMatchObject({ applied: 1 });
    });

    test("another run's is another one", async () => {
      await withBatchInHand({ maxConcurrent: 1 }, async () => {
        const other = request([recordRow(2)], { maxConcurrent: 1, lockRunId: "run-2" });
        expect(await sink.apply(other)).toMatchObject({ kind: "applied" });
      });
    });

    test("late once it is held: nothing is written, and the lock is free again", async () => {
      const late = request([recordRow(1)], { maxConcurrent: 1, isOnTime: () => false });
      expect(await sink.apply(late)).toEqual({ kind: "late" });
      expect(await sql("SELECT count(*) FROM firehose.repos")).toEqual([["0"]]);
      expect(await sink.apply(request([recordRow(1)], { maxConcurrent: 1 }))).toMatchObject({ kind: "applied" });
    });

    test("a frozen process gives it back, and what it then sends is the service's error", async () => {
      await using frozen = testSink(databaseUrl, { timeouts: { idleInTransactionMs: 100 } });
      const blocked = request([recordRow(1)], { maxConcurrent: 1, isOnTime: () => freeze(300) });
      await expect(frozen.apply(blocked)).rejects.toMatchObject({ name: "SinkError", kind: "service" });
      expect(await sink.apply(request([recordRow(1)], { maxConcurrent: 1 }))).toMatchObject({ kind: "applied" });
    });

    /** Runs `meanwhile` while another batch holds a lock of run-1 in its transaction. */
    async function withBatchInHand(fields: Partial<ApplyRequest>, meanwhile: () => Promise<void>): Promise<void> {
      await using holder = openDatabase({ databaseUrl, poolSize: 1 });
      const { maxConcurrent = 1 } = fields;
      const lock = `SELECT pg_try_advisory_xact_lock(hashtext('firehose-backfill:run-1'), ${maxConcurrent - 1})`;
      await holder.use([{ sql: "BEGIN" }, { sql: lock }], async (session) => {
        await meanwhile();
        await session.run([{ sql: "ROLLBACK" }]);
      });
    }
  });

  test("a row that another transaction holds is waited for, then tried again, at most five times", async () => {
    await apply(recordRow(1));
    const sleeps: number[] = [];
    const clock = { now: () => 0, sleep: async (ms: number) => void sleeps.push(ms) };
    await using impatient = testSink(databaseUrl, { clock, random: () => 0.5, timeouts: { lockMs: 20 } });
    await using holder = openDatabase({ databaseUrl, poolSize: 1 });
    const hold = [{ sql: "BEGIN" }, { sql: "SELECT 1 FROM firehose.repos FOR UPDATE" }];
    await holder.use(hold, async (session) => {
      await expect(impatient.apply(request([recordRow(2)]))).rejects.toMatchObject({
        kind: "attempt",
        sqlState: "55P03",
      });
      expect(sleeps).toEqual([20, 40, 80, 160, 320]);
      await session.run([{ sql: "ROLLBACK" }]);
    });
    expect(await impatient.apply(request([recordRow(2)]))).toMatchObject({ kind: "applied" });
  });

  test("a read-only database is the service's error, a missing table is ours", async () => {
    const readOnly = await createDatabase(server.databaseUrl);
    await query(
      readOnly,
      `ALTER DATABASE ${new URL(readOnly).pathname.slice(1)} SET default_transaction_read_only = on`,
    );
    await using first = testSink(readOnly);
    await expect(first.apply(request([recordRow(1)]))).rejects.toMatchObject({ kind: "service", sqlState: "25006" });
    const dropped = await createDatabase(server.databaseUrl);
    await query(dropped, "DROP TABLE firehose.records CASCADE");
    await using second = testSink(dropped);
    await expect(second.apply(request([recordRow(1)]))).rejects.toMatchObject({ kind: "broken", sqlState: "42P01" });
  });

  test("a role that prefers another isolation level changes nothing", async () => {
    const strict = await createDatabase(server.databaseUrl, {
      settings: ["default_transaction_isolation = 'serializable'"],
    });
    await using own = testSink(strict, { poolSize: 4 });
    const same = Array.from({ length: 8 }, () =>
      own.apply(request([recordRow(1), recordRow(2)], { maxConcurrent: 8 })),
    );
    const results = await Promise.all(same);
    const applied = results.map((result) => (result.kind === "applied" ? result.counts.applied : Number.NaN));
    expect(applied.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 0, 0, 0, 0, 2]);
  });

  test("old tombstones go, a chunk at a time; young ones, and those above a cursor, stay", async () => {
    const rows = Array.from({ length: 1500 }, (_, n) =>
      recordRow(n, { rkey: `r${n}`, action: "delete", timeMs: START_MS }),
    );
    await apply(...rows, recordRow(2000), recordRow(2001, { action: "delete", timeMs: START_MS + 20 * DAY_MS }));
    const sleeps: number[] = [];
    const clock = { now: () => START_MS + 31 * DAY_MS, sleep: async (ms: number) => void sleeps.push(ms) };
    const options = { database: sink.database, clock, olderThanDays: 30 };
    expect(await removeOldTombstones({ ...options, beforeSeq: 10 })).toBe(10);
    expect(await removeOldTombstones(options)).toBe(1490);
    expect(sleeps).toHaveLength(1);
    expect(await sql("SELECT seq FROM firehose.records ORDER BY seq")).toEqual([["2000"], ["2001"]]);
  });
});

/** Text that does not compress: an index key may be long as long as it does. */
function noise(length: number): string {
  let state = 1;
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return String.fromCodePoint(97 + (state % 26));
  }).join("");
}

/** Stops the whole process, as a host does with a function that it froze. */
function freeze(ms: number): true {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  return true;
}
