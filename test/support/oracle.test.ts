import { CID } from "multiformats/cid";
import { expect, test } from "vitest";
import { resealedLog } from "@firehose-backfill/testing/embedded/relay-reseal";
import { toAtprotoJson } from "./atproto-json.ts";
import { accountFrame, cidOf, commitFrame, frameOf, identityFrame, syncFrame, timeOf } from "./make-frame.ts";
import { expectedTables, liveRecords } from "./oracle.ts";
import { mixedFrames, pdsFrames } from "./recordings.ts";

const ALICE = "did:plc:aliceaaaaaaaaaaaaaaaaaaa";
const BOB = "did:plc:bobbbbbbbbbbbbbbbbbbbbbb";
const post = (text: string) => ({ $type: "app.bsky.feed.post", text });
const REV = ["3aaaaaaaaaa2a", "3aaaaaaaaab2a", "3aaaaaaaaac2a", "3aaaaaaaaad2a"] as const;

const create = (seq: number, rev: string, rkey: string, text: string, did = ALICE) =>
  commitFrame({ seq, did, rev, ops: [{ action: "create", path: `app.bsky.feed.post/${rkey}`, record: post(text) }] });
const remove = (seq: number, rev: string, rkey: string, did = ALICE) =>
  commitFrame({ seq, did, rev, ops: [{ action: "delete", path: `app.bsky.feed.post/${rkey}` }] });

test("create, update, delete: one row a path, the tombstone stays", async () => {
  const expected = await expectedTables([
    create(1, REV[0], "a", "one"),
    commitFrame({
      seq: 2,
      did: ALICE,
      rev: REV[1],
      ops: [
        { action: "update", path: "app.bsky.feed.post/a", record: post("two") },
        { action: "create", path: "app.bsky.feed.post/b", record: post("b") },
      ],
    }),
    remove(3, REV[2], "b"),
  ]);
  expect([...expected.records.values()]).toEqual([
    {
      did: ALICE,
      collection: "app.bsky.feed.post",
      rkey: "a",
      cid: cidOf(post("two")),
      rev: REV[1],
      seq: 2,
      timeMs: Date.parse(timeOf(2)),
      record: { $type: "app.bsky.feed.post", text: "two" },
    },
    {
      did: ALICE,
      collection: "app.bsky.feed.post",
      rkey: "b",
      cid: null,
      rev: REV[2],
      seq: 3,
      timeMs: Date.parse(timeOf(3)),
      record: null,
    },
  ]);
  expect(expected.events).toBe(4);
  expect(liveRecords(expected).map(({ rkey }) => rkey)).toEqual(["a"]);
  expect(expected.repos.get(ALICE)).toMatchObject({ rev: REV[2], active: null, handle: null });
});

test("a revision that is not newer changes nothing and counts", async () => {
  const expected = await expectedTables([
    create(1, REV[1], "a", "new"),
    create(2, REV[0], "a", "old"),
    create(3, REV[1], "a", "again"),
  ]);
  expect(expected.events).toBe(3);
  expect([...expected.records.values()]).toMatchObject([{ rev: REV[1], seq: 1, record: { text: "new" } }]);
});

test("an empty commit is no event", async () => {
  expect((await expectedTables([commitFrame({ seq: 1, did: ALICE, rev: REV[0] })])).events).toBe(0);
});

test("a deleted account's earlier rows go, tombstones too; another's stay, and it may come back", async () => {
  const expected = await expectedTables([
    create(1, REV[0], "a", "gone"),
    create(2, REV[0], "a", "stays", BOB),
    remove(3, REV[1], "b"),
    accountFrame({ seq: 4, did: ALICE, active: false, status: "deleted" }),
    accountFrame({ seq: 6, did: ALICE, active: true }),
    create(7, REV[2], "c", "back"),
  ]);
  expect([...expected.records.keys()]).toEqual([`${BOB} app.bsky.feed.post a`, `${ALICE} app.bsky.feed.post c`]);
  expect(expected.repos.get(ALICE)).toMatchObject({
    active: true,
    status: null,
    statusPlace: { seq: 6 },
    purged: { seq: 4, timeMs: Date.parse(timeOf(4)) },
  });
  expect(expected.events).toBe(6);
});

test("an operation from before the purge is stale, by event time", async () => {
  const expected = await expectedTables([
    accountFrame({ seq: 1, did: ALICE, active: false, status: "deleted", time: timeOf(100) }),
    create(2, REV[0], "a", "late"),
    commitFrame({
      seq: 101,
      did: ALICE,
      rev: REV[1],
      ops: [{ action: "create", path: "a.b.c/x", record: post("later") }],
    }),
  ]);
  expect([...expected.records.values()].map(({ rkey }) => rkey)).toEqual(["x"]);
});

test("an inactive account is hidden, not removed", async () => {
  const frames = [
    create(1, REV[0], "a", "one"),
    accountFrame({ seq: 2, did: ALICE, active: false, status: "deactivated" }),
  ];
  const hidden = await expectedTables(frames);
  expect(hidden.records.size).toBe(1);
  expect(liveRecords(hidden)).toEqual([]);
  const shown = await expectedTables([...frames, accountFrame({ seq: 3, did: ALICE, active: true })]);
  expect(liveRecords(shown)).toHaveLength(1);
});

test("markers are ordered by (time, seq) within their kind; a marker without a handle says nothing of it", async () => {
  const expected = await expectedTables([
    identityFrame({ seq: 10, did: ALICE, handle: "new.test" }),
    identityFrame({ seq: 11, did: ALICE, handle: "old.test", time: timeOf(5) }),
    identityFrame({ seq: 12, did: ALICE }),
    accountFrame({ seq: 13, did: ALICE, active: false, status: "takendown", time: timeOf(1) }),
    accountFrame({ seq: 14, did: ALICE, active: true, time: timeOf(1) }),
    syncFrame({ seq: 15, did: ALICE, rev: REV[3] }),
  ]);
  expect(expected.repos.get(ALICE)).toEqual({
    did: ALICE,
    handle: "new.test",
    handlePlace: { timeMs: Date.parse(timeOf(10)), seq: 10 },
    active: true,
    status: null,
    statusPlace: { timeMs: Date.parse(timeOf(1)), seq: 14 },
    purged: null,
    rev: REV[3],
  });
  expect(expected.events).toBe(6);
});

test("what can never be applied is dead, the rest of its commit is not", async () => {
  const frame = commitFrame({
    seq: 1,
    did: ALICE,
    rev: REV[0],
    ops: [
      { action: "create", path: "a.b.c/nul", record: { text: "\u0000" } },
      { action: "create", path: "a.b.c/float", record: { half: 0.5 } },
      { action: "create", path: "a.b.c/fine", record: { text: String.raw`\\u0000` } },
    ],
  });
  const expected = await expectedTables([frame]);
  expect(expected.dead).toEqual(["nul-character", "TypeError: float"]);
  expect([...expected.records.values()].map(({ rkey }) => rkey)).toEqual(["fine"]);
  expect(expected.events).toBe(3);
});

test("unknown kinds are passed, `keep` is the filter", async () => {
  const frames = [
    frameOf("#handle", { seq: 1, did: ALICE }),
    create(2, REV[0], "a", "one"),
    create(3, REV[0], "a", "one", BOB),
    identityFrame({ seq: 4, did: BOB, handle: "bob.test" }),
  ];
  expect((await expectedTables(frames)).events).toBe(3);
  const kept = await expectedTables(frames, { keep: (did, collection) => did === ALICE || collection === null });
  expect([kept.events, kept.records.size]).toEqual([2, 1]);
});

test("links and bytes in atproto's JSON form", () => {
  const cid = CID.parse(cidOf({}));
  expect(toAtprotoJson({ ref: cid, sig: new Uint8Array([1, 2, 3, 4]), list: [cid, null, true, -1] })).toEqual({
    ref: { $link: cid.toString() },
    sig: { $bytes: "AQIDBA" },
    list: [{ $link: cid.toString() }, null, true, -1],
  });
});

test("a recording of a real PDS is understood whole", async () => {
  const expected = await expectedTables(pdsFrames());
  expect(expected.events).toBe(7875);
  expect(expected.dead).toEqual([]);
  const tombstones = [...expected.records.values()].filter(({ cid }) => cid === null);
  expect([expected.records.size, tombstones.length, expected.repos.size]).toEqual([7213, 1072, 40]);
});

test("a recording: every event is accounted for, and re-sealed copies say the same of other accounts", async () => {
  const recording = mixedFrames();
  const once = await expectedTables(recording);
  expect(once.events).toBe(300);
  expect(once.dead).toEqual([]);
  const log = resealedLog({ frames: recording, copies: 2, seed: "s", firstTimeMs: 0 });
  const twice = await expectedTables([...log.after(0)].map(({ frame }) => frame));
  expect([twice.events, twice.records.size, twice.repos.size]).toEqual([
    600,
    2 * once.records.size,
    2 * once.repos.size,
  ]);
  const contents = (rows: Iterable<{ rkey: string; cid: string | null }>) =>
    [...rows].map(({ rkey, cid }) => `${rkey} ${cid}`);
  expect(contents(twice.records.values())).toEqual([
    ...contents(once.records.values()),
    ...contents(once.records.values()),
  ]);
});
