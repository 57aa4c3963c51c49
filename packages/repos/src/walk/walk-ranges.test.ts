import { cidFromText, cidToText } from "@firehose-backfill/core/cid";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLong } from "@firehose-backfill/testing/long";
import { MissingBlocksError, ResponseTooLargeError } from "../errors.ts";
import { makeRepo, manyRecords, type TestRepo, tidOf } from "@firehose-backfill/testing/repos/test-repo";
import { allRanges, fetcherOf, walkOptions } from "@firehose-backfill/testing/repos/walking";
import { BlockTable } from "./block-table.ts";
import { wantedIntervals } from "@firehose-backfill/core/key-interval";
import { isWanted } from "./key-intervals.ts";
import type { ProvedRange } from "./proved-range.ts";
import { walkRanges } from "./walk-ranges.ts";

const POST = "app.bsky.feed.post";
const LIKE = "app.bsky.feed.like";
const FOLLOW = "app.bsky.graph.follow";

const keysOf = (ranges: readonly ProvedRange[]) => ranges.flatMap(({ records }) => records.map(({ key }) => key));
const big = makeRepo(manyRecords(3_000, [LIKE, POST, FOLLOW, "app.bsky.actor.profile"]));

/** What every sequence of ranges must be: the intervals, without a hole and without an overlap, each record in its range. */
function expectProof(ranges: readonly ProvedRange[], collections: readonly string[], repo: TestRepo): void {
  const intervals = wantedIntervals(collections);
  let interval = 0;
  let from = intervals[0]?.from;
  for (const [index, range] of ranges.entries()) {
    expect(range.from).toBe(from);
    expect(range.to > range.from).toBe(true);
    for (const { key } of range.records) {
      expect(key > range.from && key <= range.to).toBe(true);
      expect(key.startsWith(`${range.collection}/`)).toBe(true);
    }
    const { collection } = range;
    const isWithin = collection === null || (range.from >= `${collection}/` && range.to <= `${collection}0`);
    expect(isWithin).toBe(true);
    expect(range.isLast).toBe(index === ranges.length - 1);
    from = range.to === intervals[interval]?.to ? intervals[++interval]?.from : range.to;
  }
  expect(interval).toBe(intervals.length);
  const expected = repo.records.filter(({ key }) => isWanted(intervals, key));
  expect(keysOf(ranges)).toEqual(expected.map(({ key }) => key));
  for (const [index, { bytes, cid }] of ranges.flatMap(({ records }) => records).entries()) {
    expect(Buffer.compare(bytes, expected[index]?.bytes ?? new Uint8Array())).toBe(0);
    expect(Buffer.compare(cid, expected[index]?.cid ?? new Uint8Array())).toBe(0);
  }
}

describe("a walk", () => {
  it.each<[string, string[]]>([
    ["everything", []],
    ["one collection", [POST]],
    ["two that do not touch", [LIKE, FOLLOW]],
    ["a prefix", ["app.bsky.feed.*"]],
    ["a prefix, one within it and one outside it", ["app.bsky.feed.*", POST, "app.bsky.actor.profile"]],
    ["absent ones before, between and after", ["aaa.bbb.ccc", "app.bsky.feed.mango", POST, "zzz.yyy.xxx"]],
  ])("issue 15.2: proves %s", async (_, collections) => {
    expectProof(await allRanges(walkOptions(big, { collections })), collections, big);
  });

  it("of an empty repository proves that it is empty", async () => {
    const empty = makeRepo({});
    expectProof(await allRanges(walkOptions(empty)), [], empty);
    const ranges = await allRanges(walkOptions(empty, { collections: [POST] }));
    expect(ranges).toEqual([
      {
        did: empty.did,
        rev: empty.rev,
        collection: POST,
        from: `${POST}/`,
        to: `${POST}0`,
        sinceTid: null,
        records: [],
        isLast: true,
      },
    ]);
  });

  it("issue 15.2: says that a collection is absent, for the nodes of one path", async () => {
    const asked = fetcherOf(big.blocks);
    const ranges = await allRanges(walkOptions(big, { ...asked, collections: ["app.bsky.feed.mango"] }));
    expect(ranges).toMatchObject([{ collection: "app.bsky.feed.mango", records: [], isLast: true }]);
    expect(asked.requests.flat().length).toBeLessThan(12);
  });

  it("fetches only what meets the wanted collections, no block twice, at most 200 a request", async () => {
    const asked = fetcherOf(big.blocks);
    await allRanges(walkOptions(big, { ...asked, collections: [POST] }));
    const cids = asked.requests.flat();
    const isOf = new Map(big.records.map(({ key, cid }) => [cidToText(cid), key]));
    const records = cids.filter((cid) => isOf.has(cid));
    expect(records).toHaveLength(750);
    expect(records.every((cid) => isOf.get(cid)?.startsWith(`${POST}/`))).toBe(true);
    expect(new Set(cids).size).toBe(cids.length);
    expect(Math.max(...asked.requests.map(({ length }) => length))).toBe(200);
    // 750 records and about 250 nodes: 5 full requests, and one a layer at the beginning.
    expect(asked.requests.length).toBeLessThanOrEqual(13);
    expect(cids.length - records.length).toBeLessThan(300);
  });

  it("finds records that share a block at every path", async () => {
    const same = { $type: POST, text: "the same" };
    const repo = makeRepo(
      Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${POST}/${1_000 + index}`, same])),
    );
    const asked = fetcherOf(repo.blocks);
    const ranges = await allRanges(walkOptions(repo, asked));
    expect(keysOf(ranges)).toHaveLength(500);
    expectProof(ranges, [], repo);
  });

  it(
    "issue 15.9: any repository, any collections, any limits, left anywhere and gone on with",
    { timeout: 120_000 },
    async () => {
      const names = ["a.b.c", "a.b.c-d", "a.b.c.d", "a.b.cc", "a.b", "b.c.d"];
      const rkey = fc.string({
        unit: fc.constantFrom("a", "b", "c", "3", "-", "_", ".", "~"),
        minLength: 1,
        maxLength: 4,
      });
      const key = fc.tuple(fc.constantFrom(...names), rkey).map(([collection, name]) => `${collection}/${name}`);
      const records = fc.uniqueArray(key, { maxLength: 80 });
      const collections = fc.uniqueArray(fc.constantFrom(...names, "a.b.*", "a.b.c.*", "a.*", "z.z.z"), {
        maxLength: 4,
      });
      const limits = fc.record({
        maxRecords: fc.integer({ min: 1, max: 9 }),
        maxBytes: fc.integer({ min: 1, max: 400 }),
      });
      await fc.assert(
        fc.asyncProperty(
          records,
          collections,
          limits,
          fc.integer({ min: 1, max: 9 }),
          fc.integer({ min: 1, max: 5 }),
          async (paths, wanted, most, maxBatch, stride) => {
            const repo = makeRepo(Object.fromEntries(paths.map((path) => [path, { of: path.length }])));
            const ranges: ProvedRange[] = [];
            const options = { collections: wanted, limits: most, maxBatch, maxHeldBytes: 300 };
            for (let isDone = false; !isDone;) {
              const after = ranges.at(-1)?.to ?? null;
              let taken = 0;
              for await (const range of walkRanges(walkOptions(repo, { ...options, after }))) {
                expect(range.records.length).toBeLessThanOrEqual(most.maxRecords);
                const bytes = range.records.reduce((sum, one) => sum + one.bytes.length + one.key.length, 0);
                expect(bytes <= most.maxBytes || range.records.length === 1).toBe(true);
                ranges.push(range);
                isDone = range.isLast;
                if (++taken === stride) break;
              }
            }
            expectProof(ranges, wanted, repo);
          },
        ),
        { numRuns: isLong ? 3_000 : 300, seed: 15 },
      );
    },
  );
});

describe("a commit that moves on", () => {
  const before = manyRecords(900, [LIKE, POST]);
  const old = makeRepo(before, { rev: "3aaaaaaaaaa2a" });

  it("issue 15.2: old blocks are missing, by name; the walk goes on at its key on the new commit", async () => {
    const first: ProvedRange[] = [];
    const have = new Map(old.blocks);
    const walk = walkRanges(walkOptions(old, { ...fetcherOf(have), maxBatch: 20 }));
    const failed = (async () => {
      for await (const range of walk) {
        first.push(range);
        // After some ranges the host forgets the old tree.
        if (first.length === 5) have.clear();
      }
    })();
    await expect(failed).rejects.toMatchObject({
      name: "MissingBlocksError",
      cids: [expect.stringMatching(/^bafyrei/), ...Array<unknown>(9).fill(expect.any(String))],
    });
    const removed = Object.keys(before).sort()[700] ?? "";
    const { [removed]: gone, ...rest } = before;
    const fresh = makeRepo({ ...rest, [`${POST}/zzz`]: { $type: POST } }, { rev: "3bbbbbbbbbb2a" });
    const after = first.at(-1)?.to ?? null;
    const second = await allRanges(walkOptions(fresh, { after }));
    expect(gone).toBeDefined();
    expect(second[0]?.from).toBe(after);
    expect(new Set(second.map(({ rev }) => rev))).toEqual(new Set(["3bbbbbbbbbb2a"]));
    expect(keysOf(second)).toEqual(fresh.records.map(({ key }) => key).filter((key) => key > (after ?? "")));
    expect(keysOf(first).length).toBeGreaterThan(0);
    expect(keysOf(first).every((key) => key <= (after ?? ""))).toBe(true);
  });

  it("a key from which nothing is left yields nothing", async () => {
    expect(await allRanges(walkOptions(old, { collections: [POST], after: `${POST}0` }))).toEqual([]);
  });
});

describe("days", () => {
  const START_MS = 1_600_000_000_000;
  const repo = makeRepo({
    ...manyRecords(400, [POST]),
    "app.bsky.actor.profile/self": { $type: "app.bsky.actor.profile" },
    [`${POST}/2not-a-tid`]: { $type: POST },
    [`${POST}/zzzzzzzzzzzzz`]: { $type: POST, text: "looks like a TID and is none" },
  });

  it("issue 15.4: passes over record keys that are TIDs of before, and takes all others", async () => {
    const sinceMs = START_MS + 300 * 60_000;
    const asked = fetcherOf(repo.blocks);
    const ranges = await allRanges(walkOptions(repo, { ...asked, sinceMs }));
    const expected = [
      "app.bsky.actor.profile/self",
      `${POST}/2not-a-tid`,
      ...Array.from({ length: 100 }, (_, index) => `${POST}/${tidOf(sinceMs + index * 60_000)}`),
      `${POST}/zzzzzzzzzzzzz`,
    ];
    expect(keysOf(ranges)).toEqual(expected);
    expect(new Set(ranges.map(({ sinceTid }) => sinceTid))).toEqual(new Set([tidOf(sinceMs)]));
    const records = new Set(repo.records.map(({ cid }) => cidToText(cid)));
    expect(asked.requests.flat().filter((cid) => records.has(cid))).toHaveLength(expected.length);
  });
});

describe("what is bounded", () => {
  it("an answer that is too large: fewer blocks are asked for, then more again", async () => {
    const { fetchBlocks } = fetcherOf(big.blocks);
    const sizes: number[] = [];
    const ranges = await allRanges(
      walkOptions(big, {
        fetchBlocks: async (cids, signal) => {
          sizes.push(cids.length);
          if (cids.length > 60) throw new ResponseTooLargeError("too large");
          return await fetchBlocks(cids, signal);
        },
      }),
    );
    expectProof(ranges, [], big);
    expect(sizes.filter((size) => size > 60).length).toBeGreaterThan(1);
  });

  it("one block that is too large alone is an error", async () => {
    const walk = allRanges(
      walkOptions(big, { fetchBlocks: () => Promise.reject(new ResponseTooLargeError("too large")) }),
    );
    await expect(walk).rejects.toBeInstanceOf(ResponseTooLargeError);
  });

  it("blocks that are held: what is needed last is forgotten and fetched again, and nothing is lost", async () => {
    const { fetchBlocks, requests } = fetcherOf(big.blocks);
    const ranges = await allRanges(walkOptions(big, { fetchBlocks, maxHeldBytes: 2_000 }));
    expectProof(ranges, [], big);
    const cids = requests.flat();
    expect(cids.length).toBeGreaterThan(new Set(cids).size);
  });

  it("an abort ends it without a last range", async () => {
    const controller = new AbortController();
    const ranges: ProvedRange[] = [];
    for await (const range of walkRanges(walkOptions(big, { signal: controller.signal }))) {
      ranges.push(range);
      if (ranges.length === 3) controller.abort();
    }
    expect(ranges.length).toBeLessThan(30);
    expect(ranges.some(({ isLast }) => isLast)).toBe(false);
  });

  it("a block that the host leaves out is named", async () => {
    const record = big.records[10];
    const blocks = new Map(big.blocks);
    blocks.delete(cidToText(record?.cid ?? new Uint8Array()));
    const walk = allRanges(walkOptions(big, fetcherOf(blocks)));
    await expect(walk).rejects.toBeInstanceOf(MissingBlocksError);
    await expect(walk).rejects.toMatchObject({ cids: [cidToText(record?.cid ?? new Uint8Array())], count: 1 });
  });
});

describe("how far a walk looks ahead", () => {
  it("issue 15.6: fetches hardly more records than may still be taken", async () => {
    const ROOM = 60;
    const fetchedFor = async (isLimited: boolean) => {
      const { requests, fetchBlocks } = fetcherOf(big.blocks);
      let taken = 0;
      const roomLeft = isLimited ? { roomLeft: () => ROOM - taken } : {};
      for await (const range of walkRanges({ ...walkOptions(big, { fetchBlocks }), ...roomLeft })) {
        taken += range.records.length;
        if (taken >= ROOM) break;
      }
      return requests.flat().filter((cid) => !big.nodes.has(cid)).length;
    };
    expect(await fetchedFor(true)).toBeLessThan(2.5 * ROOM);
    expect(await fetchedFor(false)).toBeGreaterThan(2.5 * ROOM);
  });

  it("issue 15.6: does not look for missing blocks beyond 2,000 items, so that what it holds is bounded", async () => {
    const [first, later] = [big.records[0], big.records[2_500]].map((record) =>
      record === undefined ? "" : cidToText(record.cid),
    );
    const known = new BlockTable();
    for (const [text, bytes] of big.blocks) {
      const cid = cidFromText(text);
      if (cid === null || text === first || text === later) continue;
      const section = Buffer.concat([cid, bytes]);
      known.put(section, 0, section.length);
    }
    const { requests, fetchBlocks } = fetcherOf(big.blocks);
    expectProof(await allRanges(walkOptions(big, { known, fetchBlocks })), [], big);
    expect(requests).toEqual([[first], [later]]);
  });
});
