import { readFileSync } from "node:fs";
import { BlockMap, MemoryBlockstore, MST } from "@atproto/repo";
import { cidFromText, cidOf, cidToText } from "@firehose-backfill/core/cid";
import fc from "fast-check";
import { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { manyRecords } from "@firehose-backfill/testing/repos/test-repo";
import { commonPrefix } from "./common-prefix.ts";
import { keyLayer } from "./key-layer.ts";
import { decodeNode } from "./node.ts";
import { createTreeBuilder, treeRoot } from "./tree-builder.ts";

interface Proof {
  readonly comment: string;
  readonly leafValue: string;
  readonly keys: readonly string[];
  readonly adds: readonly string[];
  readonly dels: readonly string[];
  readonly rootBeforeCommit: string;
  readonly rootAfterCommit: string;
  readonly blocksInProof: readonly string[];
}

const fixture = (name: string) => readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), "utf8");
const heights: readonly { readonly key: string; readonly height: number }[] = JSON.parse(fixture("key_heights.json"));
const proofs: readonly Proof[] = JSON.parse(fixture("commit-proof-fixtures.json"));
const exampleKeys = fixture("example_keys.txt").trim().split("\n");

/** Root and nodes, of keys in any order that all hold one record. */
function build(keys: Iterable<string>, value: Uint8Array) {
  const nodes: string[] = [];
  const builder = createTreeBuilder({ onNode: (cid) => nodes.push(cidToText(cid)) });
  for (const key of [...keys].sort()) builder.add(key, value);
  return { root: cidToText(builder.finish()), nodes };
}

/** The same by the reference implementation, which inserts one key after the other. */
async function referenceRoot(keys: readonly string[], value: Uint8Array): Promise<string> {
  let tree = await MST.create(new MemoryBlockstore(new BlockMap()));
  for (const key of keys) tree = await tree.add(key, CID.decode(value));
  return (await tree.getPointer()).toString();
}

const leaf = (text: string) => cidOf(Buffer.from(text));

describe("the interop vectors of atproto", () => {
  it.each(heights)("$key stands on layer $height", ({ key, height }) => {
    expect(keyLayer(key)).toBe(height);
  });

  it.each(proofs)("issue 16.4: roots of $comment", ({ keys, adds, dels, leafValue, ...roots }) => {
    const value = cidFromText(leafValue);
    if (value === null) throw new Error("no CID");
    expect(build(keys, value).root).toBe(roots.rootBeforeCommit);
    const after = new Set([...keys, ...adds]);
    for (const key of dels) after.delete(key);
    const { root, nodes } = build(after, value);
    expect(root).toBe(roots.rootAfterCommit);
    // Nodes of the new tree prove the commit.
    expect(roots.blocksInProof.filter((cid) => !nodes.includes(cid))).toEqual([]);
  });

  it("issue 16.4: the example keys, the layers of which are in their names", async () => {
    for (const key of exampleKeys) expect(keyLayer(key)).toBe(Number(key.charAt(1)));
    expect(build(exampleKeys, leaf("x")).root).toBe(await referenceRoot(exampleKeys, leaf("x")));
  });
});

describe("shared prefixes", () => {
  const cases: readonly { readonly left: string; readonly right: string; readonly len: number }[] = JSON.parse(
    fixture("common_prefix.json"),
  );
  it.each(cases)("of $left and $right: $len", ({ left, right, len }) => {
    expect(commonPrefix(left, right)).toBe(len);
  });
});

describe("the builder", () => {
  it("of no keys: the empty tree's root", async () => {
    expect(cidToText(treeRoot([]))).toBe("bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm");
    expect(cidToText(treeRoot([]))).toBe(await referenceRoot([], leaf("")));
  });

  it("issue 16.4: agrees with the reference implementation on any set of keys", { timeout: 120_000 }, async () => {
    const part = fc.string({ unit: fc.constantFrom("a", "b", "3", "-", "_", ".", "~"), minLength: 1, maxLength: 6 });
    const key = fc.oneof(
      fc.tuple(part, part).map(([collection, rkey]) => `${collection}/${rkey}`),
      // Keys of high layers make trees with nodes that hold no key.
      fc.constantFrom(...exampleKeys),
    );
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(key, { maxLength: 60 }), async (keys) => {
        expect(build(keys, leaf("value")).root).toBe(await referenceRoot(keys, leaf("value")));
      }),
      { numRuns: 150, seed: 16 },
    );
  });

  it("issue 16.4: agrees on 2,000 records with different values", async () => {
    const keys = Object.keys(manyRecords(2_000, ["app.bsky.feed.post", "app.bsky.feed.like"])).sort();
    let tree = await MST.create(new MemoryBlockstore(new BlockMap()));
    for (const key of keys) tree = await tree.add(key, CID.decode(leaf(key)));
    const root = treeRoot(keys.map((key) => [key, leaf(key)] as const));
    expect(cidToText(root)).toBe((await tree.getPointer()).toString());
  });

  it("hands out nodes that read back, children before parents, the root last", () => {
    const seen = new Set<string>();
    let last = "";
    const keys: string[] = [];
    const builder = createTreeBuilder({
      onNode: (cid, bytes) => {
        const node = decodeNode(Buffer.from(bytes));
        const links = [node.left, ...node.entries.map(({ tree }) => tree)].filter((link) => link !== null);
        for (const link of links) expect(seen).toContain(cidToText(link));
        keys.push(...node.entries.map(({ key }) => key));
        expect(cidToText(cidOf(bytes))).toBe(cidToText(cid));
        last = cidToText(cid);
        seen.add(last);
      },
    });
    for (const key of exampleKeys.toSorted()) builder.add(key, leaf(key));
    expect(cidToText(builder.finish())).toBe(last);
    expect(keys.sort()).toEqual(exampleKeys.toSorted());
  });

  it("refuses what is the caller's defect", () => {
    const builder = createTreeBuilder();
    builder.add("com.example.a/b", leaf("x"));
    expect(() => builder.add("com.example.a/a", leaf("x"))).toThrow("ascend");
    expect(() => builder.add("com.example.a/b", leaf("x"))).toThrow("ascend");
    expect(() => builder.add("com.example.a/c", new Uint8Array(3))).toThrow("36 bytes");
    expect(() => {
      builder.add("com.example.a/é", leaf("x"));
      builder.finish();
    }).toThrow("ASCII");
  });

  it("issue 16.4: keeps no more for a hundred times the keys", () => {
    const builder = createTreeBuilder();
    const value = leaf("x");
    const addUntil = (from: number, to: number) => {
      for (let index = from; index < to; index++) builder.add(`com.example.a/${String(index).padStart(9, "0")}`, value);
      return process.memoryUsage();
    };
    const early = addUntil(0, 20_000);
    const late = addUntil(20_000, 200_000);
    // What the builder holds is a path: a few kilobytes. Garbage in between is bounded by the collector.
    expect(late.external + late.arrayBuffers - early.external - early.arrayBuffers).toBeLessThan(16_000_000);
    expect(cidToText(builder.finish())).toMatch(/^bafyrei/);
  });
});
