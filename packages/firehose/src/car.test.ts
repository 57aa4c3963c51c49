import { readFileSync } from "node:fs";
import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { carRoot, findBlocks, WantedBlocks } from "./car.ts";
import { car, cidOf } from "@firehose-backfill/testing/firehose/frames";

const blocks = ["a", "bb", "ccc"].map((text) => dagCbor.encode({ text }));
const [a, b, c] = blocks.map(cidOf);
if (a === undefined || b === undefined || c === undefined) throw new Error("three blocks");
const archive = car(
  a,
  blocks.map((block) => [cidOf(block), block] as const),
);

/** CIDs are given as offsets into the same bytes: they are put behind the archive. */
function find(bytes: Buffer, wanted: readonly Uint8Array[]): (string | null)[] | string {
  const whole = Buffer.concat([bytes, ...wanted]);
  const table = new WantedBlocks();
  const found = wanted.map((_, index) => table.add(bytes.length + index * 36));
  const root = findBlocks(whole, 0, bytes.length, table);
  if (typeof root === "string") return root;
  return found.map((index) =>
    table.starts[index] === -1 ? null : whole.subarray(table.starts[index], table.ends[index]).toString("hex"),
  );
}

const hexOf = (index: number) => Buffer.from(blocks[index] ?? []).toString("hex");

interface CarFixture {
  readonly root: string;
  readonly blocks: readonly { readonly cid: string; readonly bytes: string }[];
  readonly car: string;
}
const FIXTURES: readonly CarFixture[] = JSON.parse(
  readFileSync(new URL("../fixtures/car-file-fixtures.json", import.meta.url), "utf8"),
);

it.each(FIXTURES)(
  "reads the reference implementation's archive: root $root",
  ({ root, blocks: theirs, car: bytes }) => {
    const whole = Buffer.from(bytes, "base64");
    const at = carRoot(whole, 0, whole.length);
    if (typeof at === "string") throw new Error(at);
    expect(CID.decode(whole.subarray(at, at + 36)).toString()).toBe(root);
    const cids = theirs.map(({ cid }) => CID.parse(cid).bytes);
    expect(theirs.length).toBeGreaterThan(1);
    expect(find(whole, cids)).toEqual(theirs.map((block) => Buffer.from(block.bytes, "base64").toString("hex")));
  },
);

describe("findBlocks", () => {
  it("finds blocks by their CIDs, in any order, each as often as it is wanted", () => {
    const missing = cidOf(Buffer.from("no"));
    expect(find(archive, [c.bytes, missing.bytes, a.bytes, c.bytes])).toEqual([hexOf(2), null, hexOf(0), hexOf(2)]);
  });

  it("takes the first of two blocks with one CID", () => {
    const twice = car(a, [
      [a, blocks[0] ?? a.bytes],
      [a, Buffer.from("forged")],
    ]);
    expect(find(twice, [a.bytes])).toEqual([hexOf(0)]);
  });

  it("passes sections it does not know", () => {
    const odd = Buffer.concat([archive, Buffer.from([3, 1, 2, 3]), Buffer.from([40, 0x12, 0x20]), Buffer.alloc(38)]);
    expect(find(odd, [b.bytes])).toEqual([hexOf(1)]);
  });

  it("takes an empty block", () => {
    const empty = new Uint8Array(0);
    expect(find(car(a, [[a, empty]]), [a.bytes])).toEqual([""]);
  });

  it.each([
    ["empty", Buffer.alloc(0)],
    ["cut in a block", archive.subarray(0, -1)],
    ["cut in a length", Buffer.concat([archive, Buffer.from([0x80])])],
    ["a section of no length", Buffer.concat([archive, Buffer.from([0])])],
    ["a length of five bytes", Buffer.concat([archive, Buffer.from([0x80, 0x80, 0x80, 0x80, 0x01])])],
    ["a header that is longer than all", Buffer.from([0xff, 0x01, 0xa2])],
  ])("refuses one that is %s", (_, bytes) => {
    expect(find(bytes, [a.bytes])).toMatch(/length is wrong/);
  });
});

describe("carRoot", () => {
  const withHeader = (header: unknown) => {
    const bytes = dagCbor.encode(header);
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  };
  const rootOf = (bytes: Buffer) => {
    const root = carRoot(bytes, 0, bytes.length);
    return typeof root === "string" ? root : bytes.subarray(root, root + 36).toString("hex");
  };
  const aHex = Buffer.from(a.bytes).toString("hex");

  it("is the first of the roots, however the header is written", () => {
    expect(rootOf(archive)).toBe(aHex);
    expect(rootOf(withHeader({ roots: [a], version: 1, zzzzzzzz: 1 }))).toBe(aHex);
    const [two] = [dagCbor.encode({ roots: [a, b], version: 1 })];
    expect(rootOf(Buffer.concat([Buffer.from([two.length]), two]))).toBe(aHex);
  });

  it.each([
    [{ roots: [], version: 1 }, "no root"],
    [{ roots: [a], version: 2 }, "version 2 instead of 1"],
    [{ roots: [a] }, "version 0 instead of 1"],
    [{ roots: ["a"], version: 1 }, "the header is not strict DAG-CBOR: bad-cid"],
    [[a], "the header is not strict DAG-CBOR: not-a-map"],
  ])("refuses %j", (header, error) => {
    expect(rootOf(withHeader(header))).toBe(error);
  });
});
