import { readFileSync } from "node:fs";
import { BlockMap, MemoryBlockstore, MST } from "@atproto/repo";
import { cidFromText, cidOf, cidToText } from "@firehose-backfill/core/cid";
import fc from "fast-check";
import { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { type CommitOperation, invertCommit } from "./invert-commit.ts";
import { createTreeBuilder, treeRoot } from "./tree/tree-builder.ts";

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

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");
const proofs: readonly Proof[] = JSON.parse(fixture("commit-proof-fixtures.json"));
const exampleKeys = fixture("example_keys.txt").trim().split("\n");

const leaf = (text: string) => cidOf(Buffer.from(text));
type Entries = ReadonlyMap<string, Uint8Array>;

function sorted(entries: Entries) {
  return [...entries].sort(([left], [right]) => (left < right ? -1 : 1));
}

function nodesOf(entries: Entries): ReadonlyMap<string, Buffer> {
  const nodes = new Map<string, Buffer>();
  const builder = createTreeBuilder({ onNode: (cid, bytes) => nodes.set(cidToText(cid), Buffer.from(bytes)) });
  for (const [key, cid] of sorted(entries)) builder.add(key, cid);
  builder.finish();
  return nodes;
}

/** With those nodes alone that `isSent` lets through. */
function invert(after: Entries, operations: readonly CommitOperation[], isSent: (cid: string) => boolean) {
  const nodes = nodesOf(after);
  const blockOf = (cid: Uint8Array) => (isSent(cidToText(cid)) ? (nodes.get(cidToText(cid)) ?? null) : null);
  return invertCommit({ data: treeRoot(sorted(after)), blockOf }, operations);
}

const rootText = (inversion: ReturnType<typeof invertCommit>) =>
  inversion.kind === "inverted" ? cidToText(inversion.prevData) : inversion.problem;

function applied(before: Entries, operations: readonly CommitOperation[]): Entries {
  const after = new Map(before);
  for (const { key, cid } of operations) {
    if (cid === null) after.delete(key);
    else after.set(key, cid);
  }
  return after;
}

describe("the interop vectors of atproto", () => {
  it.each(proofs)("issue 16.3: $comment", ({ keys, adds, dels, leafValue, blocksInProof, ...roots }) => {
    const value = cidFromText(leafValue);
    if (value === null) throw new Error("no CID");
    const before = new Map(keys.map((key) => [key, value] as const));
    const operations: CommitOperation[] = [
      ...adds.map((key) => ({ action: "create", key, cid: value, prev: null }) as const),
      ...dels.map((key) => ({ action: "delete", key, cid: null, prev: value }) as const),
    ];
    const after = applied(before, operations);
    expect(cidToText(treeRoot(sorted(after)))).toBe(roots.rootAfterCommit);
    const inversion = invert(after, operations, (cid) => blocksInProof.includes(cid));
    expect(rootText(inversion)).toBe(roots.rootBeforeCommit);
  });
});

/** What the reference implementation sends along with a commit: the covering proof of every key that it has changed. */
async function coveringProof(after: Entries, keys: readonly string[]): Promise<ReadonlySet<string>> {
  let tree = await MST.create(new MemoryBlockstore(new BlockMap()));
  for (const [key, cid] of sorted(after)) tree = await tree.add(key, CID.decode(cid));
  const { blocks } = await tree.getUnstoredBlocks();
  const stored = MST.load(new MemoryBlockstore(blocks), await tree.getPointer());
  const sent = new Set<string>();
  for (const key of keys) {
    for (const { cid } of (await stored.getCoveringProof(key)).entries()) sent.add(cid.toString());
  }
  return sent;
}

const key = fc.oneof(
  fc.tuple(fc.constantFrom("a.b.c", "a.b.d"), fc.nat(300)).map(([name, index]) => `${name}/${index}`),
  // Keys of high layers make trees with nodes that hold no key.
  fc.constantFrom(...exampleKeys),
);
const commit = fc
  .record({
    keys: fc.uniqueArray(key, { minLength: 1, maxLength: 120 }),
    changes: fc.uniqueArray(fc.record({ key, at: fc.nat(), isNew: fc.boolean(), isDelete: fc.boolean() }), {
      selector: (change) => change.key,
      minLength: 1,
      maxLength: 8,
    }),
  })
  .map(({ keys, changes }) => {
    const before: Entries = new Map(keys.map((one) => [one, leaf(one)] as const));
    const operations = new Map<string, CommitOperation>();
    for (const change of changes) {
      const name = change.isNew ? change.key : (keys[change.at % keys.length] ?? change.key);
      const prev = before.get(name) ?? null;
      const cid = leaf(`${name} since`);
      if (prev === null) operations.set(name, { action: "create", key: name, cid, prev });
      else if (change.isDelete) operations.set(name, { action: "delete", key: name, cid: null, prev });
      else operations.set(name, { action: "update", key: name, cid, prev });
    }
    return { before, operations: [...operations.values()] };
  });

describe("any commit", () => {
  it(
    "issue 16.3: with what the reference implementation sends, the root before comes out",
    { timeout: 240_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(commit, async ({ before, operations }) => {
          const after = applied(before, operations);
          const sent = await coveringProof(
            after,
            operations.map((operation) => operation.key),
          );
          const inversion = invert(after, operations, (cid) => sent.has(cid));
          expect(rootText(inversion)).toBe(cidToText(treeRoot(sorted(before))));
        }),
        { numRuns: 120, seed: 163 },
      );
    },
  );

  it("issue 16.3: with any part of the nodes it is the root before, or refused: never another root", () => {
    let inverted = 0;
    let refused = 0;
    fc.assert(
      fc.property(commit, fc.infiniteStream(fc.integer({ min: 0, max: 9 })), ({ before, operations }, dice) => {
        const after = applied(before, operations);
        const dropped = new Set([...nodesOf(after).keys()].filter(() => dice.next().value === 0));
        const inversion = invert(after, operations, (cid) => !dropped.has(cid));
        expect(["missing-node", cidToText(treeRoot(sorted(before)))]).toContain(rootText(inversion));
        if (inversion.kind === "inverted") inverted += 1;
        else refused += 1;
      }),
      { numRuns: 800, seed: 1630 },
    );
    expect(inverted).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  });

  it("issue 16.3: an operation that was left out, added or altered is noticed", () => {
    fc.assert(
      fc.property(
        commit,
        fc.nat(),
        fc.constantFrom("leave out", "alter", "alter prev"),
        ({ before, operations }, at, fault) => {
          const after = applied(before, operations);
          const index = at % operations.length;
          const faulty = operations.flatMap((operation, place) => {
            if (place !== index) return [operation];
            if (fault === "leave out") return [];
            if (fault === "alter" && operation.cid !== null) return [{ ...operation, cid: leaf("another") }];
            return [{ ...operation, prev: operation.prev === null ? null : leaf("another") }];
          });
          const inversion = invert(after, faulty, () => true);
          const isFault = fault !== "alter prev" || operations[index]?.prev !== null;
          const isSame = rootText(inversion) === cidToText(treeRoot(sorted(before)));
          expect(isSame).toBe(!isFault);
        },
      ),
      { numRuns: 800, seed: 1631 },
    );
  });
});

describe("what is refused", () => {
  const before: Entries = new Map(exampleKeys.slice(0, 20).map((one) => [one, leaf(one)] as const));
  const [first = "", second = ""] = exampleKeys;
  const create = { action: "create", key: "zz/new", cid: leaf("new"), prev: null } as const;
  const after = applied(before, [create]);

  it.each<[string, readonly CommitOperation[], string]>([
    ["a path twice", [create, create], "is changed twice"],
    ["a create of what is not in the tree", [create, { ...create, key: "zz/other" }], "is not in the tree"],
    ["a create with another CID", [{ ...create, cid: leaf("other") }], "has another CID"],
    [
      "a delete of what is still there",
      [create, { action: "delete", key: first, cid: null, prev: leaf(first) }],
      "is still in the tree",
    ],
    [
      "an update that does not say what was there",
      [create, { action: "update", key: second, cid: leaf(second), prev: null }],
      "what was there before",
    ],
  ])("%s", (_, operations, detail) => {
    expect(invert(after, operations, () => true)).toEqual({
      kind: "refused",
      problem: "wrong-operation",
      detail: expect.stringContaining(detail),
    });
  });

  it("a commit without its root, and one whose root is no node", () => {
    expect(invert(after, [create], () => false)).toMatchObject({ kind: "refused", problem: "missing-node" });
    const inversion = invertCommit({ data: leaf("x"), blockOf: () => Buffer.from("a0", "hex") }, [create]);
    expect(inversion).toMatchObject({ kind: "refused", problem: "bad-node" });
  });
});
