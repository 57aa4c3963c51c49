/** What the tables guarantee, on real servers: what is stored, what is stale, and what is shown. */
import { describe, expect, test } from "vitest";
import {
  accountRow,
  applyTo,
  identityRow,
  liveIn,
  recordRow,
  revOf,
  SERVERS,
  sqlOn,
  START_MS,
  syncRow,
} from "@firehose-backfill/testing/sink/rows";
import { useSink } from "@firehose-backfill/testing/sink/server";
import type { SinkRow } from "@firehose-backfill/sink/rows";

describe.each(SERVERS)("on $name", ({ binDir }) => {
  const at = useSink({ binDir, poolSize: 4 });

  const sql = (text: string) => sqlOn(at.sink, text);
  const apply = (...rows: SinkRow[]) => applyTo(at.sink, rows);
  const live = () => liveIn(at.sink);

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
});
