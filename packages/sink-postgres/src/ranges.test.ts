/** The effect of a range of a repository on the tables, one case in each test. ranges-convergence.test.ts tests any order. */
import { tidAt } from "@firehose-backfill/core/tid";
import {
  accountRow,
  applyTo,
  deadRow,
  provedRow,
  rangeRow,
  recordRow,
  request,
  type RequestFields,
  sqlOn,
  START_MS,
} from "@firehose-backfill/testing/sink/rows";
import { useSink } from "@firehose-backfill/testing/sink/server";
import type { RangeRow, RecordRow, SinkRow } from "@firehose-backfill/sink/rows";
import { describe, expect, test } from "vitest";
import { listApplied } from "./applied.ts";
import { removeOldTombstones } from "./tombstones.ts";

const at = useSink({ poolSize: 2 });
const POSTS = "app.bsky.feed.post";

/** A range of all posts at revision `n` with these records. */
function posts(n: number, rkeys: readonly string[], range: Partial<RangeRow> = {}, its: Partial<RecordRow> = {}) {
  return [rangeRow(n, rkeys, range), ...rkeys.map((rkey) => provedRow(n, { rkey, ...its }))];
}

async function apply(rows: readonly SinkRow[], fields: RequestFields = {}) {
  const result = await at.sink.apply(...request(rows, fields));
  if (result.kind === "busy" || result.kind === "late") throw new Error(result.kind);
  return result;
}

async function counts(rows: readonly SinkRow[], fields: RequestFields = {}) {
  const result = await apply(rows, fields);
  if (result.kind !== "applied") throw new Error(result.kind);
  return result.counts;
}

/** rkey, CID or null, the n of its revision, seq. */
const rows = () =>
  sqlOn(at.sink, "SELECT rkey, cid, substr(rev, 3)::int, seq FROM firehose.records ORDER BY collection, rkey");
const live = async () => (await rows()).filter(([, cid]) => cid !== null).map(([rkey]) => rkey);

describe("issue 15.3: a range", () => {
  test("writes what is there and removes what is not, at the signed revision, without a place in the stream", async () => {
    await applyTo(at.sink, [recordRow(1, { rkey: "a" }), recordRow(2, { rkey: "b" }), recordRow(3, { rkey: "c" })]);
    expect(await counts(posts(5, ["b", "d"]))).toEqual({ applied: 2, stale: 0, dead: 0, removed: 2 });
    expect(await rows()).toEqual([
      ["a", null, "5", null],
      ["b", "cid5", "5", null],
      ["c", null, "5", null],
      ["d", "cid5", "5", null],
    ]);
    expect(await sqlOn(at.sink, "SELECT rev FROM firehose.repos")).toEqual([[recordRow(5).rev]]);
  });

  test("removes rows that somebody has added with keys that no repository may hold", async () => {
    await applyTo(at.sink, [recordRow(1, { rkey: "a" })]);
    for (const rkey of ["a b", "ä", "日本", "🦋", "\u007f"])
      await sqlOn(
        at.sink,
        `INSERT INTO firehose.records (did, collection, rkey, cid, rev, record, indexed_at)
         SELECT did, collection, '${rkey}', cid, rev, record, indexed_at FROM firehose.records WHERE rkey = 'a'`,
      );
    await counts(posts(5, ["a"]));
    expect(await live()).toEqual(["a"]);
  });

  test("what is newer wins: an operation above its revision, a record or a deletion", async () => {
    await applyTo(at.sink, [recordRow(8, { rkey: "a" }), recordRow(9, { rkey: "b", action: "delete" })]);
    expect(await counts(posts(5, ["b"]))).toEqual({ applied: 0, stale: 1, dead: 0, removed: 0 });
    expect(await rows()).toEqual([
      ["a", "cid8", "8", "8"],
      ["b", null, "9", "9"],
    ]);
  });

  test("what is older comes too late, also where no row is; a newer one does not", async () => {
    await counts(posts(5, ["b"]));
    const late = [recordRow(3, { rkey: "a" }), recordRow(4, { rkey: "b" }), recordRow(5, { rkey: "c" })];
    expect(await applyTo(at.sink, late)).toEqual({ applied: 0, stale: 3, dead: 0 });
    expect(await counts(posts(4, ["a", "z"]))).toMatchObject({ applied: 0, stale: 2, removed: 0 });
    await applyTo(at.sink, [recordRow(6, { rkey: "c" })]);
    expect(await live()).toEqual(["b", "c"]);
    // The range does not affect other repositories and other collections.
    await applyTo(at.sink, [
      recordRow(3, { rkey: "bob", did: "did:plc:bob" }),
      recordRow(3, { rkey: "like", collection: "app.bsky.feed.like" }),
    ]);
    expect(new Set(await live())).toEqual(new Set(["b", "bob", "c", "like"]));
  });

  test("a row of the same revision and CID is not rewritten, whoever wrote it", async () => {
    const place = () => sqlOn(at.sink, "SELECT ctid, xmin, seq FROM firehose.records");
    await applyTo(at.sink, [recordRow(5, { rkey: "a" })]);
    const before = await place();
    expect(await counts(posts(5, ["a"]))).toEqual({ applied: 1, stale: 0, dead: 0, removed: 0 });
    expect(await place()).toEqual(before);
    expect(await counts(posts(6, ["a"], {}, { cid: "cid5" }))).toMatchObject({ applied: 1 });
    const proved = await place();
    expect(proved).not.toEqual(before);
    expect(await counts(posts(6, ["a"], {}, { cid: "cid5" }))).toMatchObject({ applied: 1 });
    expect(await place()).toEqual(proved);
  });

  test("a record of it that cannot be read stays as it was: it is there", async () => {
    await applyTo(at.sink, [recordRow(1, { rkey: "a" }), recordRow(2, { rkey: "b" }), recordRow(3, { rkey: "c" })]);
    const range = rangeRow(5, ["a", "b"]);
    const dead = deadRow(0, { path: `${POSTS}/b`, reason: "hash-mismatch" });
    expect(await counts([range, provedRow(5, { rkey: "a" }), dead])).toEqual({
      applied: 1,
      stale: 0,
      dead: 1,
      deadReasons: { "hash-mismatch": 1 },
      removed: 1,
    });
    expect(await live()).toEqual(["a", "b"]);
    // A redrive sends it without its range, and its revision is not older than the range's.
    await applyTo(at.sink, [provedRow(5, { rkey: "b" })]);
    expect((await rows())[1]).toEqual(["b", "cid5", "5", null]);
  });

  test("a record of it that the database refuses is a dead event, and not removed", async () => {
    await applyTo(at.sink, [recordRow(1, { rkey: "a" }), recordRow(2, { rkey: "b" })]);
    const [range, a, c] = posts(5, ["a", "c"]);
    if (range === undefined || a?.kind !== "record" || c === undefined) throw new Error("no rows");
    expect(await counts([range, { ...a, json: "?" }, c])).toMatchObject({ applied: 1, stale: 0, dead: 1, removed: 1 });
    expect(await rows()).toEqual([
      ["a", "cid1", "1", "1"],
      ["b", null, "5", null],
      ["c", "cid5", "5", null],
    ]);
  });

  test("an empty one removes a whole collection; one between collections all that lie there, in the order of keys", async () => {
    const inCollection = (n: number, collection: string) => recordRow(n, { collection, rkey: collection });
    // a.b-c.d comes before a.b.c as a name, and so do its keys; a.b.c-d comes after a.b.c as a name, and its keys before.
    const names = ["a.b-c.d", "a.b.c", "a.b.c-d", "a.b.c.d", "a.b.cd"];
    await applyTo(
      at.sink,
      names.map((name, n) => inCollection(n + 1, name)),
    );
    await counts([rangeRow(8, [], { collection: null, from: "a.b.c-d/", to: "a.b.c/" })]);
    expect(await live()).toEqual(["a.b-c.d", "a.b.c", "a.b.cd"]);
    await counts([rangeRow(8, [], { collection: "a.b.cd", from: "a.b.cd/", to: "a.b.cd0" })]);
    expect(await live()).toEqual(["a.b-c.d", "a.b.c"]);
    await counts([rangeRow(8, [], { collection: null, from: "", to: "\u007f" })]);
    expect(await live()).toEqual([]);
    await applyTo(
      at.sink,
      names.map((name, n) => inCollection(n + 1, name)),
    );
    expect(await live()).toEqual([]);
  });

  test("says nothing about keys before its time: neither that they exist nor that they do not", async () => {
    const [old, young] = [tidAt(START_MS - 9_000_000), tidAt(START_MS)];
    const sinceTid = tidAt(START_MS - 1_000_000);
    await applyTo(
      at.sink,
      [old, young, "self"].map((rkey, n) => recordRow(n + 1, { rkey })),
    );
    expect(await counts(posts(5, [], { sinceTid }))).toMatchObject({ removed: 2 });
    expect(await live()).toEqual([old]);
    const late = [old, young, "self"].map((rkey) => recordRow(4, { rkey, did: "did:plc:alice" }));
    expect(await applyTo(at.sink, late)).toMatchObject({ applied: 1, stale: 2 });
  });

  test("the feed of what was applied last shows the rows of a stream, and is not disturbed by the others", async () => {
    await applyTo(at.sink, [recordRow(1, { rkey: "a" }), recordRow(2, { rkey: "b" })]);
    await counts(posts(5, ["b"]));
    await applyTo(at.sink, [recordRow(7, { rkey: "c" })]);
    const last = await listApplied({ database: at.sink.database, limit: 5 });
    expect(last.map(({ seq, rkey }) => [seq, rkey])).toEqual([[7, "c"]]);
    expect(await sqlOn(at.sink, "SELECT rkey, seq FROM firehose.posts ORDER BY rkey")).toEqual([
      ["b", null],
      ["c", "7"],
    ]);
  });

  test("issue 15.8: where there is nothing of a stream, the feed of what was applied last shows the rows of repositories", async () => {
    await counts(posts(5, ["a", "b", "c"]));
    const last = await listApplied({ database: at.sink.database, limit: 2, maxRecordChars: 5 });
    expect(last.map(({ seq, rkey, isDeleted, record }) => [seq, rkey, isDeleted, record?.length])).toEqual([
      [null, "b", false, 5],
      [null, "c", false, 5],
    ]);
  });

  test("an account that was deleted after its revision stays empty; one that came back does not", async () => {
    const [before, after] = [tidAt(START_MS), tidAt(START_MS + 100_000)];
    const deleted = accountRow(50, { active: false, status: "deleted" });
    await counts(posts(1, ["a"], { rev: before }, { rev: before }));
    await applyTo(at.sink, [deleted]);
    expect(await rows()).toEqual([]);
    expect(await counts(posts(1, ["a"], { rev: before }, { rev: before }))).toMatchObject({ applied: 0, stale: 1 });
    expect(await counts(posts(1, ["a"], { rev: after }, { rev: after }))).toMatchObject({ applied: 1, stale: 0 });
    await applyTo(at.sink, [deleted]);
    expect(await sqlOn(at.sink, "SELECT rkey FROM firehose.records")).toEqual([["a"]]);
  });
});

describe("issue 15.3: removals are events", () => {
  const many = Array.from({ length: 7 }, (_, n) => recordRow(n + 1, { rkey: `r${n}` }));

  test("removes at most the allowed number in each call, in the order of their keys, and counts each row once", async () => {
    await applyTo(at.sink, many);
    const batch = posts(20, ["r3"]);
    expect(await apply(batch, { maxRemovals: 0 })).toMatchObject({ kind: "more", removed: 0, left: 6 });
    expect(await live()).toHaveLength(7);
    expect(await apply(batch, { maxRemovals: 4 })).toMatchObject({ kind: "more", removed: 4, left: 2 });
    expect(await live()).toEqual(["r3", "r5", "r6"]);
    const all = { applied: 1, stale: 0, dead: 0, removed: 6 };
    expect(await counts(batch, { maxRemovals: 2 })).toEqual(all);
    expect(await counts(batch, { maxRemovals: 2 })).toEqual(all);
    // Rows that another run has already removed are not counted as removed by this one.
    expect(await counts(batch, { key: { runId: "run-2" } })).toEqual({ ...all, removed: 0 });
  });

  test("of several ranges of a batch together", async () => {
    await applyTo(at.sink, many);
    const middle = `${POSTS}/r3`;
    const batch = [rangeRow(20, [], { to: middle }), rangeRow(20, [], { from: middle })];
    expect(await apply(batch, { maxRemovals: 5 })).toMatchObject({ kind: "more", removed: 5, left: 2 });
    expect(await counts(batch, { maxRemovals: 5 })).toMatchObject({ removed: 7 });
  });

  test("what comes between two calls is not lost: what is newer stays", async () => {
    await applyTo(at.sink, many);
    const batch = posts(20, ["r3"]);
    await apply(batch, { maxRemovals: 3 });
    await applyTo(at.sink, [
      recordRow(30, { rkey: "r0" }),
      recordRow(31, { rkey: "r6" }),
      recordRow(15, { rkey: "r1" }),
    ]);
    expect(await counts(batch)).toMatchObject({ applied: 1, removed: 4 });
    expect(await live()).toEqual(["r0", "r3", "r6"]);
  });

  test("old tombstones of ranges are removed, however far a run is, and what they kept away does not come back", async () => {
    await applyTo(at.sink, [recordRow(1, { rkey: "a" })]);
    await counts(posts(5, []));
    const clock = { now: () => START_MS + 31 * 86_400_000, sleep: async () => {} };
    expect(await removeOldTombstones({ database: at.sink.database, clock, beforeSeq: 1 })).toBe(1);
    expect(await applyTo(at.sink, [recordRow(2, { rkey: "a" })])).toMatchObject({ stale: 1 });
    expect(await live()).toEqual([]);
  });
});
