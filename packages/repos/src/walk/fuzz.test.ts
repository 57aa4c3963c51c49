/**
 * Hostile trees: a node is changed, and every CID above it is made right again, so that no hash gives it away: what an account's own host can make.
 * `npm run test:long` walks twenty times as many.
 */
import { cidOf, cidToText } from "@firehose-backfill/core/cid";
import fc from "fast-check";
import { expect, it } from "vitest";
import { isLong } from "@firehose-backfill/testing/long";
import { BadRepoError, MissingBlocksError } from "../errors.ts";
import { makeRepo, manyRecords } from "@firehose-backfill/testing/repos/test-repo";
import { fetcherOf, walkOptions } from "@firehose-backfill/testing/repos/walking";
import { walkRanges } from "./walk-ranges.ts";

/** Garbage that is not collected yet is in it. */
const MOST_HELD_BYTES = 256 * 1_048_576;

function heldBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const repo = makeRepo(manyRecords(120, ["a.b.c", "a.b.d"]));
/** Children before parents, the root last: as the builder hands them out. */
const nodes = [...repo.nodes].map((text) => Buffer.from(repo.blocks.get(text) ?? []));

/** The tree with one node changed: its blocks, and the root's CID. */
function hostile(which: number, change: (bytes: Buffer) => Buffer) {
  const blocks = new Map(repo.blocks);
  const renamed: { readonly from: Uint8Array; readonly to: Uint8Array }[] = [];
  let root: Uint8Array = repo.data;
  for (const [index, node] of nodes.entries()) {
    let bytes: Buffer = Buffer.from(node);
    for (const { from, to } of renamed) {
      for (let at = bytes.indexOf(from); at !== -1; at = bytes.indexOf(from, at + 1)) Buffer.from(to).copy(bytes, at);
    }
    if (index === which) bytes = change(bytes);
    const cid = cidOf(bytes);
    if (index >= which) renamed.push({ from: cidOf(node), to: cid });
    blocks.set(cidToText(cid), bytes);
    root = cid;
  }
  return { blocks, root };
}

async function outcomeOf(which: number, change: (bytes: Buffer) => Buffer): Promise<string> {
  const { blocks, root } = hostile(which, change);
  let last = "";
  try {
    const limits = { maxRecords: 7, maxBytes: 1_000 };
    for await (const range of walkRanges(walkOptions({ ...repo, data: root }, { ...fetcherOf(blocks), limits }))) {
      const keys = [range.from, ...range.records.map(({ key }) => key)];
      const isSound = range.from === last && keys.every((key, index) => index === 0 || key > (keys[index - 1] ?? ""));
      if (!isSound || (keys.at(-1) ?? "") > range.to) return "a range that is none";
      last = range.to;
    }
    return "read";
  } catch (error) {
    if (error instanceof MissingBlocksError) return "missing";
    if (error instanceof BadRepoError) return error.reason;
    throw error;
  }
}

it("the nodes are as they are made again: nothing changed is read", async () => {
  expect(await outcomeOf(0, (bytes) => bytes)).toBe("read");
});

it(
  "issue 15.9: hostile trees are refused by name or read as sound ranges, and never anything else",
  { timeout: 300_000 },
  async () => {
    const outcomes = new Map<string, number>();
    const before = heldBytes();
    const flip = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    const change = fc.oneof(
      // Bytes anywhere; a piece cut out; a piece of it copied elsewhere.
      fc.array(flip, { minLength: 1, maxLength: 3 }).map((flips) => (bytes: Buffer) => {
        for (const [at, value] of flips) bytes[at % bytes.length] = value;
        return bytes;
      }),
      fc.tuple(fc.nat(), fc.nat(60)).map(([at, length]) => (bytes: Buffer) => {
        const start = at % bytes.length;
        return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + length)]);
      }),
      fc.tuple(fc.nat(), fc.nat(), fc.nat(60)).map(([from, to, length]) => (bytes: Buffer) => {
        bytes.copy(bytes, to % bytes.length, from % bytes.length, (from % bytes.length) + length);
        return bytes;
      }),
      // Another node of the same tree in its place: sound in itself, and wrong where it stands.
      fc.nat(nodes.length - 1).map((other) => () => Buffer.from(nodes[other] ?? [])),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(nodes.length - 1), change, async (which, changed) => {
        const outcome = await outcomeOf(which, changed);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        expect(["read", "missing", "bad-node"]).toContain(outcome);
      }),
      { numRuns: isLong ? 20_000 : 1_000, seed: 159 },
    );
    expect(heldBytes() - before).toBeLessThan(MOST_HELD_BYTES);
    expect(outcomes.get("bad-node")).toBeGreaterThan(300);
    expect(outcomes.get("missing")).toBeGreaterThan(20);
  },
);
