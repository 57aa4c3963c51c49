/** Judged by cbor-x behind the strict scan (decodeAnyRecord): the one pass permits nothing else, and makes the same values. */
import * as dagCbor from "@ipld/dag-cbor";
import fc from "fast-check";
import { CID } from "multiformats/cid";
import { describe, expect, test } from "vitest";
import { anyText } from "@firehose-backfill/testing/core/any-text";
import { cidOf } from "../cid.ts";
import { BadRecordError, decodeAnyRecord, decodeRecord } from "./decode-record.ts";
import type { CborMap } from "./decoder.ts";
import { MAX_CONTAINER_ITEMS, MAX_DEPTH } from "./strict-scan.ts";
import { readUsualRecord } from "./usual-record.ts";

const integer = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, -1, -24, -25, -(2 ** 32), -(2 ** 32) - 1),
  fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
);
const text = fc.oneof(
  anyText({ maxLength: 60 }),
  fc.string({ maxLength: 40 }),
  fc.constantFrom("", "\uFEFF", "\uFFFD", "a\uFFFDb", "\0", "app.bsky.feed.post", "2025-02-06T01:05:06.528Z"),
);
const key = fc.oneof(
  fc.string({ maxLength: 23 }).filter((name) => name !== "__proto__"),
  fc.constantFrom("$type", "text", "createdAt", "1", "02", "constructor", "toString"),
);
const { map } = fc.letrec<{ value: unknown; map: object; list: unknown[] }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(integer, fc.boolean(), fc.constant(null)),
    text,
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ maxLength: 8 }).map((bytes) => CID.decode(cidOf(bytes))),
    tie("list"),
    tie("map"),
  ),
  list: fc.array(tie("value"), { maxLength: 6 }),
  map: fc.dictionary(key, tie("value"), { maxKeys: 8, noNullPrototype: true }),
}));

function judged(block: Uint8Array): CborMap | null {
  try {
    return decodeAnyRecord(block);
  } catch (error) {
    if (error instanceof BadRecordError) return null;
    throw error;
  }
}

function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(" ", ""), "hex");
}

test("issue 19.4: the one pass reads each record whose keys are short ASCII, and its values are those of cbor-x", () => {
  fc.assert(
    fc.property(map, (record) => {
      const block = dagCbor.encode(record);
      const read = readUsualRecord(block);
      expect(read).not.toBeNull();
      expect(read).toEqual(judged(block));
    }),
    { seed: 1, numRuns: 1_000 },
  );
});

test(
  "issue 19.4: flipped bytes: what the one pass reads, the strict scan permits, with the same values",
  {
    timeout: 20_000,
  },
  () => {
    const blocks = fc.sample(map, { seed: 2, numRuns: 200 }).map((record) => dagCbor.encode(record));
    const flips = fc.sample(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 })), {
      seed: 3,
      numRuns: 10_000,
    });
    let read = 0;
    let refused = 0;
    for (const [which, where, mask] of flips) {
      const block = Uint8Array.from(blocks[which % blocks.length] ?? []);
      const at = where % block.length;
      block[at] = (block[at] ?? 0) ^ mask;
      const record = readUsualRecord(block);
      const expected = judged(block);
      if (expected === null) refused++;
      if (record === null) continue;
      read++;
      expect(record).toEqual(expected);
    }
    expect(read).toBeGreaterThan(1_000);
    expect(refused).toBeGreaterThan(1_000);
  },
);

test("issue 19.4: random bytes behind the head of a map, and cut records, are read by both or by none", () => {
  const tails = fc.sample(fc.uint8Array({ maxLength: 64 }), { seed: 4, numRuns: 10_000 });
  const blocks: Uint8Array[] = tails.map((tail) => Uint8Array.of(0xa1, 0x61, 0x61, ...tail));
  const whole = dagCbor.encode({
    a: [1, "b", { c: null }],
    link: CID.decode(cidOf(Uint8Array.of(1))),
    text: "ä".repeat(40),
  });
  for (let length = 0; length <= whole.length; length++) blocks.push(whole.subarray(0, length));
  for (const block of blocks) expect(readUsualRecord(block)).toEqual(judged(block));
});

describe("issue 19.4: at the limits", () => {
  const under = (digits: string) => Buffer.concat([hex("a1 6161"), hex(digits)]);
  const nested = (depth: number, head: number) =>
    Buffer.concat([hex("a1 6161"), Buffer.alloc(depth - 2, head), Buffer.from([head - 1])]);
  const items = (count: number) => Buffer.concat([under("9a"), uint32(count), Buffer.alloc(count, 1)]);
  const uint32 = (value: number) => Buffer.from([value >>> 24, value >> 16, value >> 8, value]);

  test.each<readonly [string, boolean, Uint8Array]>([
    ["as deep as permitted", true, nested(MAX_DEPTH, 0x81)],
    ["one level too deep", false, nested(MAX_DEPTH + 1, 0x81)],
    ["as many items as permitted", true, items(MAX_CONTAINER_ITEMS)],
    ["one item too many", false, items(MAX_CONTAINER_ITEMS + 1)],
    ["2^53 - 1", true, under("1b 001fffffffffffff")],
    ["2^53", false, under("1b 0020000000000000")],
    ["-2^53 + 1", true, under("3b 001ffffffffffffe")],
    ["-2^53", false, under("3b 001fffffffffffff")],
    ["a number that is not in its shortest form", false, under("18 17")],
    ["a length that is not in its shortest form", false, under("78 01 61")],
    ["a key that is not in its shortest form", false, hex("a1 78 01 61 00")],
    ["the same key twice", false, hex("a2 6161 00 6161 00")],
    ["keys in the wrong order", false, hex("a2 6162 00 6161 00")],
    ["a shorter key after a longer one", false, hex("a2 626161 00 6161 00")],
    ["a key of 23 bytes", true, Buffer.concat([hex("a1 77"), Buffer.alloc(23, 0x61), hex("00")])],
    ["__proto__", false, hex("a1 69 5f5f70726f746f5f5f 00")],
    ["a key that is no text", false, hex("a1 4161 00")],
    ["bytes behind the record", false, hex("a1 6161 00 00")],
    ["a list", false, hex("81 00")],
    ["undefined", false, under("f7")],
    ["a float", false, under("fb 3ff8000000000000")],
    ["another tag", false, under("d8 2b 5825 00 01711220" + "00".repeat(32))],
    ["a link", true, under("d8 2a 5825 00 01711220" + "00".repeat(32))],
    ["a link of another codec", false, under("d8 2a 5825 00 01701220" + "00".repeat(32))],
    ["a link of another hash", false, under("d8 2a 5825 00 01711320" + "00".repeat(32))],
    ["a link without its zero", false, under("d8 2a 5825 01 01711220" + "00".repeat(32))],
    ["a link that is cut", false, under("d8 2a 5825 00 01711220" + "00".repeat(31))],
    ["U+FFFD as it is written", true, under("63 efbfbd")],
    ["a byte that is not UTF-8", false, under("61 ff")],
    ["half a character", false, under("62 e282")],
    ["a surrogate", false, under("63 eda080")],
    ["a character in a longer form", false, under("62 c080")],
    ["a character above U+10FFFF", false, under("64 f4908080")],
    ["U+FFFD beside a byte that is not UTF-8", false, under("64 efbfbd ff")],
    ["a long text with a byte that is not UTF-8", false, under(`78 28 ${"61".repeat(39)} ff`)],
  ])("%s: %s", (_what, isPermitted, block) => {
    const record = readUsualRecord(block);
    expect(record !== null).toBe(isPermitted);
    expect(record).toEqual(judged(block));
  });
});

test("issue 19.4: keys that the one pass gives up on are read by cbor-x", () => {
  for (const name of ["a key of more than 23 bytes", "schlüssel"]) {
    const block = dagCbor.encode({ a: 1, [name]: [2] });
    expect(readUsualRecord(block)).toBeNull();
    expect(decodeRecord(block)).toEqual({ a: 1, [name]: [2] });
  }
});

test("issue 19.4: a text is the same the first, second and third time, and beside others of its hash slot", () => {
  // More texts than the tables have slots, each of them three times.
  const texts = Array.from({ length: 6_000 }, (_, index) => `at://${index.toString(36)}/x`);
  for (const part of [texts.slice(0, 200), texts]) {
    const record = Object.fromEntries(part.map((name, index) => [name, [name, `${name}${index}`, name]]));
    for (let time = 0; time < 3; time++) expect(readUsualRecord(dagCbor.encode(record))).toEqual(record);
  }
});

test("issue 19.4: a record does not change when its block does", () => {
  const block = dagCbor.encode({
    bytes: Uint8Array.of(1, 2),
    short: "abc",
    long: "x".repeat(100),
    other: "ü".repeat(50),
  });
  const record = readUsualRecord(block);
  block.fill(0);
  expect(record).toEqual({ bytes: Uint8Array.of(1, 2), short: "abc", long: "x".repeat(100), other: "ü".repeat(50) });
});
