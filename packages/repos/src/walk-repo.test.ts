import { cidToText } from "@firehose-backfill/core/cid";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MissingBlocksError } from "./errors.ts";
import type { OpenRepo } from "./open-repo.ts";
import { makeRepo, manyRecords, type TestRepo, tidOf } from "@firehose-backfill/testing/repos/test-repo";
import { fetcherOf } from "@firehose-backfill/testing/repos/walking";
import { BlockTable } from "./walk/block-table.ts";
import type { ProvedRange } from "./walk/proved-range.ts";
import { walkRepo, type WalkRepoOptions } from "./walk-repo.ts";

const { signal } = new AbortController();
const revOf = (turn: number) => tidOf(1_700_000_000_000 + turn);

/** A host that serves its newest commit alone. */
function hostOf(first: TestRepo) {
  const host = { repo: first, opened: 0 };
  const open = async (): Promise<OpenRepo> => {
    host.opened += 1;
    const { did, rev, data } = host.repo;
    const commit = { did, rev, data, unsigned: new Uint8Array(), signature: new Uint8Array() };
    const fetchBlocks: OpenRepo["fetchBlocks"] = (cids) => fetcherOf(host.repo.blocks).fetchBlocks(cids, signal);
    return { commit, known: new BlockTable(), fetchBlocks };
  };
  return { host, open };
}
const options = (open: WalkRepoOptions["open"], fields: Partial<WalkRepoOptions> = {}): WalkRepoOptions => ({
  open,
  collections: [],
  after: null,
  sinceMs: null,
  limits: { maxRecords: 3, maxBytes: 10_000 },
  signal,
  ...fields,
});

describe("a walk over a repository that is written to", () => {
  it(
    "issue 15.2: each key is said once, at the revision of its range, whatever is written when",
    { timeout: 120_000 },
    async () => {
      const key = fc.integer({ min: 0, max: 40 }).map((index) => `a.b.c/k${String(index).padStart(2, "0")}`);
      const write = fc.record({ at: fc.nat(12), key, isDelete: fc.boolean() });
      let moved = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(key, { minLength: 20, maxLength: 40 }),
          fc.array(write, { minLength: 4, maxLength: 12 }),
          async (keys, writes) => {
            const records: Record<string, unknown> = Object.fromEntries(keys.map((one) => [one, { first: one }]));
            const repos = [makeRepo(records, { rev: revOf(0) })];
            const { host, open } = hostOf(repos[0] ?? makeRepo({}));
            const ranges: ProvedRange[] = [];
            for await (const range of walkRepo(options(open, { maxBatch: 2 }))) {
              ranges.push(range);
              for (const { at, key: path, isDelete } of writes.filter((one) => one.at === ranges.length)) {
                if (isDelete) delete records[path];
                else records[path] = { written: at };
                const repo = makeRepo(records, { rev: revOf(repos.length) });
                repos.push(repo);
                host.repo = repo;
              }
            }
            expect(ranges.at(-1)?.isLast).toBe(true);
            let from = "";
            for (const range of ranges) {
              expect(range.from).toBe(from);
              from = range.to;
              const of = repos.find(({ rev }) => rev === range.rev)?.records ?? [];
              const expected = of.filter((one) => one.key > range.from && one.key <= range.to);
              expect(range.records.map((one) => [one.key, cidToText(one.cid)])).toEqual(
                expected.map((one) => [one.key, cidToText(one.cid)]),
              );
            }
            moved += new Set(ranges.map(({ rev }) => rev)).size - 1;
            // Revisions never go back.
            expect(ranges.map(({ rev }) => rev)).toEqual(ranges.map(({ rev }) => rev).toSorted());
          },
        ),
        { numRuns: 150, seed: 152 },
      );
      expect(moved).toBeGreaterThan(100);
    },
  );

  it("a block that the newest commit itself lacks is an error, after one more look", async () => {
    const repo = makeRepo(manyRecords(100, ["a.b.c"]));
    const gone = cidToText(repo.records[50]?.cid ?? new Uint8Array());
    const { host, open } = hostOf({ ...repo, blocks: new Map([...repo.blocks].filter(([cid]) => cid !== gone)) });
    const ranges: ProvedRange[] = [];
    const walking = (async () => {
      for await (const range of walkRepo(options(open))) ranges.push(range);
    })();
    await expect(walking).rejects.toBeInstanceOf(MissingBlocksError);
    await expect(walking).rejects.toMatchObject({ cids: [gone] });
    expect(host.opened).toBe(2);
  });

  it("one that moves on faster than it can be read is left", async () => {
    const { host, open } = hostOf(makeRepo(manyRecords(100, ["a.b.c"])));
    const moving = async (): Promise<OpenRepo> => {
      const opened = await open();
      host.repo = makeRepo({ [`a.b.c/${host.opened}`]: {} }, { rev: revOf(host.opened) });
      return opened;
    };
    await expect(walkRepo(options(moving, { maxMoves: 3 })).next()).rejects.toBeInstanceOf(MissingBlocksError);
    expect(host.opened).toBe(4);
  });

  it("what opening throws comes through", async () => {
    const open = () => Promise.reject(new TypeError("no host"));
    await expect(walkRepo(options(open)).next()).rejects.toThrow("no host");
  });
});
