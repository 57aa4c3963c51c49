/** A row that the database refuses does not affect the rest of its batch. It is stored, listed and counted. */
import type { RecordEvent } from "@firehose-backfill/core/event";
import { describe, expect, test } from "vitest";
import { countDead, listDead } from "./dead-list.ts";
import {
  accountRow,
  applyTo,
  DAY_MS,
  deadRow,
  identityRow,
  liveIn,
  recordRow,
  request,
  SERVERS,
  sqlOn,
  START_MS,
} from "@firehose-backfill/testing/sink/rows";
import { useSink } from "@firehose-backfill/testing/sink/server";
import { removeOldTombstones } from "./tombstones.ts";
import type { SinkRow } from "@firehose-backfill/sink/rows";

describe.each(SERVERS)("on $name", ({ binDir }) => {
  const at = useSink({ binDir, poolSize: 4 });

  const sql = (text: string) => sqlOn(at.sink, text);
  const apply = (...rows: SinkRow[]) => applyTo(at.sink, rows);
  const live = () => liveIn(at.sink);

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

    test.each(refused)("%s becomes a dead event (%s), and the rest is applied", async (_name, sqlState, fields) => {
      const rows = Array.from({ length: 9 }, (_, n) => recordRow(n, n === 6 ? fields : {}));
      expect(await apply(...rows)).toEqual({ applied: 8, stale: 0, dead: 1 });
      expect(await live()).toHaveLength(8);
      const [dead] = await listDead(at.sink.database, { runId: "run-1", limit: 10 });
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
      expect(await countDead(at.sink.database, "run-1")).toEqual({ "database-22P05": 4, "missing-block": 1 });
    });

    test("a batch of nothing else", async () => {
      const rows = Array.from({ length: 5 }, (_, n) => recordRow(n, { json: "?" }));
      expect(await apply(...rows)).toEqual({ applied: 0, stale: 0, dead: 5 });
      expect(await sql("SELECT count(*) FROM firehose.repos")).toEqual([["0"]]);
    });
  });

  describe("dead events", () => {
    test("are written once, however often their batch is applied", async () => {
      const rows = [deadRow(1), deadRow(2, { did: null, path: null }), recordRow(3, { json: "?" })];
      expect(await apply(...rows)).toMatchObject({ dead: 3 });
      expect(await apply(...rows)).toMatchObject({ dead: 3 });
      expect(await sql("SELECT count(*) FROM firehose.dead_events")).toEqual([["3"]]);
    });

    test("fault 7: different broken frames at one position are a row each, however often they are applied", async () => {
      const broken = (payload: number[], error: string) =>
        deadRow(1, { did: null, path: null, reason: "bad-frame", error, payload: Uint8Array.from(payload) });
      const rows = [
        broken([1], "after seq 1: truncated; 1 bytes, sha-256 aa"),
        broken([2], "after seq 1: truncated; 1 bytes, sha-256 bb"),
        // The frames are as long as the stored beginning and differ only after it.
        broken(
          Array.from({ length: 16_384 }, () => 7),
          "after seq 1: truncated; 20000 bytes, sha-256 cc",
        ),
        broken(
          Array.from({ length: 16_384 }, () => 7),
          "after seq 1: truncated; 20000 bytes, sha-256 dd",
        ),
        // Two operations of one commit that violate the same rule at the same path.
        deadRow(2, { payload: Uint8Array.of(1) }),
        deadRow(2, { payload: Uint8Array.of(2) }),
      ];
      for (const batch of [rows, rows, rows.slice(2), rows.slice(0, 3)]) await apply(...batch);
      expect(await sql("SELECT count(*) FROM firehose.dead_events")).toEqual([["6"]]);
    });

    test("are the same row when only what the database said of them differs", async () => {
      for (const error of ["process 12 waits for 13", "process 14 waits for 15"]) {
        await apply(deadRow(1, { reason: "database-40P01", error }));
      }
      expect(await sql("SELECT count(*) FROM firehose.dead_events")).toEqual([["1"]]);
    });

    test("take what can be stored nowhere else", async () => {
      const awful = { did: "\0", path: `\ud800${noise(9000)}`, reason: "bad-\0", error: "\udfff", seq: Number.NaN };
      expect(await apply(deadRow(1, { ...awful, payload: new Uint8Array(20_000).fill(7) }))).toMatchObject({ dead: 1 });
      const [dead] = await listDead(at.sink.database, { runId: "run-1", limit: 10 });
      expect(dead).toMatchObject({ seq: 0, did: "\u{FFFD}", reason: "bad-\u{FFFD}", error: "\u{FFFD}" });
      expect(dead?.payload).toEqual(new Uint8Array(16_384).fill(7));
    });

    test("are listed in the order of the stream, by run and reason, a page at a time", async () => {
      await apply(...[4, 2, 3, 1].map((n) => deadRow(n, { reason: n === 3 ? "bad-frame" : "missing-block" })));
      await at.sink.apply(...request([deadRow(9)], { key: { runId: "run-2" } }));
      const list = (options: object) => listDead(at.sink.database, { runId: "run-1", limit: 10, ...options });
      const first = await list({ limit: 2 });
      expect(first.map(({ seq }) => seq)).toEqual([1, 2]);
      const [, last] = first;
      expect((await list({ after: last })).map(({ seq }) => seq)).toEqual([3, 4]);
      expect((await list({ reason: "bad-frame" })).map(({ seq }) => seq)).toEqual([3]);
      expect(first[0]).toMatchObject({ path: "a.b.c/d", payload: Uint8Array.of(0, 1, 255) });
      expect(new Date(first[0]?.createdAt ?? "").getTime()).toBeGreaterThan(START_MS);
      expect(await countDead(at.sink.database, "run-1")).toEqual({ "missing-block": 3, "bad-frame": 1 });
    });
  });

  test("old tombstones go, a chunk at a time; young ones, and those above a cursor, stay", async () => {
    const rows = Array.from({ length: 1500 }, (_, n) =>
      recordRow(n, { rkey: `r${n}`, action: "delete", timeMs: START_MS }),
    );
    // A redrive could send it again, and then the tombstone must still be there.
    const { seq, timeMs, did, collection, rev } = recordRow(1);
    const event: RecordEvent = {
      kind: "record",
      action: "create",
      seq,
      timeMs,
      did,
      collection,
      rkey: "r7",
      rev,
      cid: null,
      record: null,
    };
    await apply(deadRow(1, { did, path: `${collection}/r7`, event }));
    await apply(...rows, recordRow(2000), recordRow(2001, { action: "delete", timeMs: START_MS + 20 * DAY_MS }));
    const sleeps: number[] = [];
    const clock = { now: () => START_MS + 31 * DAY_MS, sleep: async (ms: number) => void sleeps.push(ms) };
    const options = { database: at.sink.database, clock };
    expect(await removeOldTombstones({ ...options, beforeSeq: 10 })).toBe(9);
    expect(await removeOldTombstones(options)).toBe(1490);
    expect(sleeps).toHaveLength(1);
    expect(await sql("SELECT seq FROM firehose.records ORDER BY seq")).toEqual([["7"], ["2000"], ["2001"]]);
    await sql("UPDATE firehose.dead_events SET applied_at = now()");
    expect(await removeOldTombstones(options)).toBe(1);
  });
});

/** Text that cannot be compressed, because a long index key is allowed if it can be. */
function noise(length: number): string {
  let state = 1;
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return String.fromCodePoint(97 + (state % 26));
  }).join("");
}
