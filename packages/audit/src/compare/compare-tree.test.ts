import { cidFromText, cidOf, cidToText } from "@firehose-backfill/core/cid";
import { wantedIntervals } from "@firehose-backfill/core/key-interval";
import { BlockTable } from "@firehose-backfill/repos/walk/block-table";
import { makeRepo, manyRecords, type TestRepo } from "@firehose-backfill/testing/repos/test-repo";
import { fetcherOf } from "@firehose-backfill/testing/repos/walking";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareRows, MAX_KEPT_ROWS, settle } from "./compare-tree.ts";
import { coverTree } from "./cover-tree.ts";
import type { Entry } from "./entry.ts";
import { Findings } from "./findings.ts";

const { signal } = new AbortController();

const entry = (key: string, text: string, isNewer = false): Entry => ({
  key,
  cid: cidOf(Buffer.from(text)),
  isNewer,
});
const entriesOf = (repo: TestRepo): Entry[] => repo.records.map(({ key, cid }) => ({ key, cid, isNewer: false }));

/** The comparison, and how often it asked for what. */
async function compare(
  repo: TestRepo,
  rows: readonly Entry[],
  { collections = [], room = MAX_KEPT_ROWS }: { readonly collections?: readonly string[]; readonly room?: number } = {},
) {
  const sorted = rows.toSorted((left, right) => (left.key < right.key ? -1 : 1));
  const { requests, fetchBlocks } = fetcherOf(repo.blocks);
  const findings = new Findings();
  const tree = { data: repo.data, known: new BlockTable(), fetchBlocks, intervals: wantedIntervals(collections) };
  const comparison = { tree, findings, room: { left: room }, signal };
  let read = 0;
  const pieces = await coverTree(tree, signal);
  const edges = requests.length;
  const rest = await compareRows(comparison, pieces, async function* (above, below) {
    const page = sorted.filter(({ key }) => key > above && key < below);
    read += page.length;
    for (let at = 0; at < page.length; at += 7) yield page.slice(at, at + 7);
  });
  await settle(comparison, rest);
  return { findings, read, edges, requests, room: comparison.room.left };
}

/** The same, by brute force. */
function expected(repo: TestRepo, rows: readonly Entry[], isIn: (key: string) => boolean) {
  const theirs = new Map(repo.records.filter(({ key }) => isIn(key)).map(({ key, cid }) => [key, cidToText(cid)]));
  const ours = new Map(
    rows.flatMap(({ key, cid }) => (cid === null || !isIn(key) ? [] : [[key, cidToText(cid)] as const])),
  );
  const keysWhere = (from: ReadonlyMap<string, string>, is: (key: string) => boolean) =>
    [...from.keys()].filter(is).sort();
  return {
    missing: keysWhere(theirs, (key) => !ours.has(key)),
    extra: keysWhere(ours, (key) => !theirs.has(key)),
    other: keysWhere(ours, (key) => theirs.has(key) && theirs.get(key) !== ours.get(key)),
  };
}

const found = ({ missing, extra, other }: Findings) => ({
  missing: missing.toSorted(),
  extra: extra.toSorted(),
  other: other.toSorted(),
});

describe("rows and a tree", () => {
  it(
    "issue 16.4: whatever was removed, altered or added is found, and nothing else",
    { timeout: 120_000 },
    async () => {
      const name = fc.constantFrom("a.b.c", "a.b.c-d", "a.b.d", "a.bb.c", "z.y.x");
      const key = fc.tuple(name, fc.nat(400)).map(([collection, index]) => `${collection}/k${index}`);
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(key, { maxLength: 150 }),
          fc.array(fc.record({ key, kind: fc.constantFrom("remove", "alter", "add") }), { maxLength: 12 }),
          fc.constantFrom([], ["a.b.c"], ["a.b.*"], ["a.b.c-d", "z.y.x"], ["q.q.q"]),
          fc.constantFrom(0, 3, 1_000),
          async (keys, faults, collections, room) => {
            const repo = makeRepo(Object.fromEntries(keys.map((one) => [one, { of: one }])));
            const rows = new Map(entriesOf(repo).map((row) => [row.key, row]));
            for (const fault of faults) {
              if (fault.kind === "remove") rows.delete(fault.key);
              else if (fault.kind === "alter" ? rows.has(fault.key) : !rows.has(fault.key))
                rows.set(fault.key, entry(fault.key, "altered"));
            }
            const all = [...rows.values()];
            const result = await compare(repo, all, { collections, room });
            const isIn = (one: string) => wantedIntervals(collections).some(({ from, to }) => one > from && one < to);
            expect(found(result.findings)).toEqual(expected(repo, all, isIn));
            expect(result.room).toBe(room);
          },
        ),
        { numRuns: 600, seed: 164 },
      );
    },
  );

  it("issue 16.4: an equal repository costs no request, and each row is read once", async () => {
    const repo = makeRepo(manyRecords(5_000, ["a.b.c", "a.b.d"]));
    const result = await compare(repo, entriesOf(repo));
    expect(result.findings.count).toBe(0);
    expect(result.requests).toEqual([]);
    expect(result.read).toBe(5_000);
  });

  it("issue 16.4: a collection is proved by the nodes at its edges alone", async () => {
    const repo = makeRepo(manyRecords(5_000, ["a.b.c", "a.b.d", "a.b.e"]));
    const result = await compare(repo, entriesOf(repo), { collections: ["a.b.d"] });
    expect(result.findings.count).toBe(0);
    expect(result.requests.flat().length).toBeLessThan(25);
    expect(result.requests.length).toBeLessThan(10);
    expect(result.read).toBe(1_667);
  });

  it("issue 16.4: a single difference costs one path of nodes, also where rows have to be read again", async () => {
    const repo = makeRepo(manyRecords(5_000, ["a.b.c"]));
    const rows = entriesOf(repo).filter((_, index) => index !== 2_500);
    const kept = await compare(repo, rows);
    expect(kept.findings.missing).toEqual([repo.records[2_500]?.key]);
    expect(kept.requests.flat().length).toBeLessThan(12);
    expect(kept.read).toBe(4_999);
    const read = await compare(repo, rows, { room: 100 });
    expect(read.findings.missing).toEqual(kept.findings.missing);
    expect(read.read).toBeLessThan(4 * 4_999);
  });

  it("of everything missing the first thousand are named, and the rest is not fetched", async () => {
    const repo = makeRepo(manyRecords(20_000, ["a.b.c"]));
    const { findings, requests } = await compare(repo, []);
    expect(findings.isFull).toBe(true);
    expect(findings.count).toBe(1_000);
    expect(findings.missing.every((path) => repo.records.some(({ key }) => key === path))).toBe(true);
    expect(requests.flat().length).toBeLessThan(repo.nodes.size / 2);
  });

  it("rows that are newer than the commit are not judged", async () => {
    const repo = makeRepo({ "a.b.c/a": {}, "a.b.c/b": {}, "a.b.c/c": {}, "a.b.c/d": {} });
    const [a, b, c, d] = entriesOf(repo);
    if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error("four records");
    const rows = [a, entry("a.b.c/b", "updated since", true), { ...c, cid: null, isNewer: true }, d];
    const { findings } = await compare(repo, [
      ...rows,
      entry("a.b.c/e", "created since", true),
      { key: "a.b.c/f", cid: null, isNewer: true },
    ]);
    expect(findings).toMatchObject({ missing: [], extra: [], other: [], newer: 3 });
  });

  it("a row that no repository can hold is extra, and what is no CID is another one", async () => {
    const repo = makeRepo({ "a.b.c/a": {}, "a.b.c/b": {} });
    const [a] = entriesOf(repo);
    if (a === undefined) throw new Error("two records");
    const rows = [
      a,
      entry("a.b.c/é", "x"),
      entry("a.b.c/a/b", "x"),
      { ...entry("a.b.c/b", ""), cid: new Uint8Array(36) },
    ];
    const { findings } = await compare(repo, rows);
    expect(found(findings)).toEqual({ missing: [], extra: ["a.b.c/a/b", "a.b.c/é"], other: ["a.b.c/b"] });
    expect(cidFromText("cid7")).toBeNull();
  });

  it("an empty repository and an empty copy are equal", async () => {
    const { findings, requests } = await compare(makeRepo({}), []);
    expect(findings.count).toBe(0);
    expect(requests).toEqual([]);
  });
});
