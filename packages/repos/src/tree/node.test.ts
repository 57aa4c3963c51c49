import { readFileSync } from "node:fs";
import { cidOf } from "@firehose-backfill/core/cid";
import { encode } from "@ipld/dag-cbor";
import fc from "fast-check";
import { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { isLong } from "@firehose-backfill/testing/long";
import { BadRepoError } from "../errors.ts";
import { keyLayer } from "./key-layer.ts";
import { decodeNode, type TreeNode } from "./node.ts";
import { createTreeBuilder } from "./tree-builder.ts";

interface RawEntry {
  readonly k: Uint8Array;
  readonly p: unknown;
  readonly t: CID | null;
  readonly v: unknown;
}

const VALUE = CID.decode(cidOf(Buffer.from("record")));
/** Keys of layer 0, in order. */
const [A = "", B = ""] = Array.from({ length: 100 }, (_, index) => `com.example.a/${100 + index}`).filter(
  (key) => keyLayer(key) === 0,
);
const UP = Array.from({ length: 100 }, (_, index) => `com.example.b/${index}`).find((key) => keyLayer(key) === 1) ?? "";

function entry(key: string, previous = "", fields: Partial<RawEntry> = {}): RawEntry {
  let shared = 0;
  while (shared < previous.length && previous[shared] === key[shared]) shared++;
  return { k: Buffer.from(key.slice(shared)), p: shared, t: null, v: VALUE, ...fields };
}
const node = (entries: readonly unknown[], left: CID | null = null) => Buffer.from(encode({ e: entries, l: left }));

function refusal(bytes: Buffer): string {
  try {
    decodeNode(bytes);
  } catch (error) {
    if (error instanceof BadRepoError && error.reason === "bad-node") return error.message;
    throw error;
  }
  return "decoded";
}

describe("a sound node", () => {
  it("gives keys, values, links and its layer", () => {
    const decoded = decodeNode(node([entry(A), entry(B, A, { t: VALUE })], VALUE));
    expect(decoded.entries.map(({ key }) => key)).toEqual([A, B]);
    expect(decoded.layer).toBe(0);
    expect([decoded.left, decoded.entries[1]?.tree].map((cid) => Buffer.from(cid ?? []))).toEqual([
      Buffer.from(VALUE.bytes),
      Buffer.from(VALUE.bytes),
    ]);
    expect(decoded.entries[0]?.tree).toBeNull();
  });

  it("may hold no key", () => {
    expect(decodeNode(node([]))).toEqual({ left: null, entries: [], layer: null });
    expect(decodeNode(node([], VALUE)).left).not.toBeNull();
  });
});

describe("a node is refused", () => {
  const long = `com.example.a/${"x".repeat(1_011)}`;
  const textual = encode({ e: [{ ...entry(A), k: A }], l: null });
  it.each<[string, Buffer, string]>([
    ["keys in the wrong order", node([entry(B), entry(A, B)]), "do not ascend"],
    ["the same key twice", node([entry(A), entry(A, A)]), "adds nothing"],
    [
      "a prefix shorter than it could be",
      node([entry(A), { ...entry(B), p: 0 }]),
      "more with the previous one than it says",
    ],
    [
      "a prefix longer than the previous key",
      node([entry(A), { ...entry(B), p: 99 }]),
      "more with the previous one than that has",
    ],
    ["a first key with a prefix", node([{ ...entry(A), p: 1 }]), "than that has"],
    ["keys of two layers", node([entry(A), entry(UP, A)]), "layers 0 and 1"],
    ["a key without a slash", node([entry("abc")]), "not collection/rkey"],
    ["a key with two slashes", node([entry("a.b.c/d/e")]), "not collection/rkey"],
    ["a key that begins with a slash", node([entry("/abc")]), "not collection/rkey"],
    ["a key that ends with a slash", node([entry("a.b.c/")]), "not collection/rkey"],
    ["a key with a space", node([entry("a.b.c/d e")]), "not collection/rkey"],
    ["a key that is not ASCII", node([entry("a.b.c/é")]), "not collection/rkey"],
    ["an empty key", node([entry("")]), "adds nothing"],
    ["a key that is too long", node([entry(long)]), "at most 1024"],
    ["a prefix below 0", node([{ ...entry(A), p: -1 }]), "integer-range"],
    ["a prefix with a fraction", node([{ ...entry(A), p: 0.5 }]), "DAG-CBOR"],
    ["a key that is text", Buffer.from(textual), "DAG-CBOR"],
    ["a value that is null", node([{ ...entry(A), v: null }]), "DAG-CBOR"],
    [
      "a value of another kind of CID",
      node([{ ...entry(A), v: CID.parse("QmRgutAxd8t7oGkSm4wmeuByG6M51wcTso6cubDdQtuEfL") }]),
      "bad-cid",
    ],
    ["a further field", Buffer.from(encode({ e: [], l: null, x: 1 })), "fields"],
    ["a further field of an entry", node([{ ...entry(A), x: 1 }]), "fields"],
    ["no left link", Buffer.from(encode({ e: [] })), "fields"],
    ["bytes after it", Buffer.concat([node([]), Buffer.from([0])]), "more than a node"],
    ["an array", Buffer.from(encode([])), "fields"],
    ["nothing", Buffer.alloc(0), "fields"],
    ["a record", Buffer.from(encode({ $type: "app.bsky.feed.post" })), "fields"],
    ["more than 2 MiB", Buffer.alloc(2_097_153), "at most 2097152"],
    ["an array longer than the block", Buffer.from("a26165993fff", "hex"), "fields"],
    ["an array of too many entries", Buffer.from("a261659a7fffffff", "hex"), "at most 16384"],
    ["an array without an end", Buffer.from("a261659fff616cf6", "hex"), "indefinite-length"],
  ])("%s", (_, bytes, message) => {
    expect(refusal(bytes)).toContain(message);
  });
});

/** null: refused by name. */
function decodedOrRefused(bytes: Buffer): TreeNode | null {
  try {
    return decodeNode(bytes);
  } catch (error) {
    if (error instanceof BadRepoError) return null;
    throw error;
  }
}

describe("hostile nodes", () => {
  it("are refused with a reason or read whole, never anything else", () => {
    const samples: Buffer[] = [];
    const builder = createTreeBuilder({ onNode: (_, bytes) => samples.push(Buffer.from(bytes)) });
    const keys = readFileSync(new URL("../../fixtures/example_keys.txt", import.meta.url), "utf8")
      .trim()
      .split("\n");
    for (const key of keys.sort()) builder.add(key, cidOf(Buffer.from(key)));
    builder.finish();
    let refused = 0;
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...samples), flips, fc.nat(), (sample, changes, cut) => {
        const bytes = Buffer.from(sample);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const hostile = cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
        const decoded = decodedOrRefused(hostile);
        if (decoded === null) refused += 1;
        // What is read is what a builder would write: keys in order, each once.
        const keysRead = decoded?.entries.map(({ key }) => key) ?? [];
        expect(keysRead).toEqual([...new Set(keysRead)].sort());
      }),
      { numRuns: isLong ? 50_000 : 3_000, seed: 15 },
    );
    expect(refused).toBeGreaterThan(1_000);
  });
});
