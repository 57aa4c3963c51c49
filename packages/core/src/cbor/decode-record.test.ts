import { isDeepStrictEqual } from "node:util";
import * as dagCbor from "@ipld/dag-cbor";
import fc from "fast-check";
import { CID } from "multiformats/cid";
import { describe, expect, test } from "vitest";
import { cidOf } from "../cid.ts";
import { anyKey, anyText } from "@firehose-backfill/testing/core/any-text";
import { BadRecordError, type BadRecordReason, decodeRecord, MAX_RECORD_BYTES } from "./decode-record.ts";
import { CidLink, type CborMap, type CborValue, isCborList, isCborMap } from "./decoder.ts";

const integer = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, -(2 ** 31) - 1, -(2 ** 32), -(2 ** 32) - 1),
);
const link = fc.uint8Array({ maxLength: 8 }).map((bytes) => new CidLink(cidOf(bytes)));
const { map } = fc.letrec<{ value: CborValue; map: CborMap; list: CborValue[] }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(integer, fc.boolean(), fc.constant(null)),
    anyText({ maxLength: 200 }),
    fc.uint8Array({ maxLength: 40 }),
    link,
    tie("list"),
    tie("map"),
  ),
  list: fc.array(tie("value"), { maxLength: 6 }),
  map: fc.dictionary(anyKey(), tie("value"), { maxKeys: 8, noNullPrototype: true }),
}));

function encodeElsewhere(value: CborValue): Uint8Array {
  return dagCbor.encode(toIpld(value));
}

function toIpld(value: CborValue): unknown {
  if (value instanceof CidLink) return CID.decode(value.bytes);
  if (isCborList(value)) return value.map(toIpld);
  if (isCborMap(value)) return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toIpld(item)]));
  return value;
}

function refusalOf(block: Uint8Array): BadRecordReason | null {
  try {
    decodeRecord(block);
    return null;
  } catch (error) {
    if (error instanceof BadRecordError) return error.reason;
    throw error;
  }
}

test("decodes what an independent library encoded, to the same values", () => {
  fc.assert(
    fc.property(map, (record) => {
      expect(decodeRecord(encodeElsewhere(record))).toEqual(record);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("integers below -2^32 come out right: cbor-x alone cuts them to 32 bits", () => {
  const record = { a: [-(2 ** 32) - 1, -Number.MAX_SAFE_INTEGER, { b: -(2 ** 40), c: 2 ** 40 }], text: "; 3b" };
  expect(decodeRecord(encodeElsewhere(record))).toEqual(record);
});

test("a text of nothing but the byte that such integers begin with is read like any other", () => {
  const record = { text: ";".repeat(900_000), wide: [2 ** 40, -(2 ** 40)] };
  expect(isDeepStrictEqual(decodeRecord(encodeElsewhere(record)), record)).toBe(true);
});

test("a text keeps its byte order mark, short or long", () => {
  const record = { long: `\uFEFF${"a".repeat(100)}`, short: "\uFEFFa" };
  expect(decodeRecord(encodeElsewhere(record))).toEqual(record);
});

test("a text that reads like one before it, up to a letter, is not taken for it", () => {
  const texts = Array.from({ length: 5_000 }, (_, index) => `app.bsky.feed.${index}`);
  expect(decodeRecord(encodeElsewhere({ texts: [...texts, ...texts] }))).toEqual({ texts: [...texts, ...texts] });
});

test("the result has memory of its own, and the block is left as it was", () => {
  const pool = new Uint8Array(1_000);
  const encoded = encodeElsewhere({ bytes: Uint8Array.of(1, 2, 3), link: new CidLink(cidOf(Uint8Array.of(1))) });
  pool.set(encoded, 500);
  const block = pool.subarray(500, 500 + encoded.length);

  const record = decodeRecord(block);
  expect(Object.keys(block)).toHaveLength(encoded.length);
  pool.fill(0);

  expect(record["bytes"]).toEqual(Uint8Array.of(1, 2, 3));
  expect(record["link"]).toEqual(new CidLink(cidOf(Uint8Array.of(1))));
  expect(record).toHaveProperty("link.bytes.buffer.byteLength", 36);
});

test("a Buffer is as good as any Uint8Array", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const record = decodeRecord(Buffer.from(encodeElsewhere({ bytes })));
  expect(record["bytes"]).toEqual(bytes);
});

describe("hostile records", () => {
  const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
  const under = (text: string) => Buffer.concat([hex("a1 6161"), hex(text)]);
  const big = (head: string, length: number, fill = 0x01) => Buffer.concat([under(head), Buffer.alloc(length, fill)]);

  test.each<readonly [string, BadRecordReason, Uint8Array]>([
    ["a bigint of 200 KB", "bad-tag", big("c2 5a 00030d40", 200_000)],
    ["a negative bigint of 200 KB", "bad-tag", big("c3 5a 00030d40", 200_000)],
    ["100,000 arrays inside each other", "depth", Buffer.concat([hex("a1 6161"), Buffer.alloc(100_000, 0x81)])],
    ["100,000 maps inside each other", "depth", hex("a1 6161".repeat(100_000))],
    ["lengths that promise 131,071 items each", "depth", Buffer.concat([under("9a 0001ffff".repeat(42_000))])],
    ["lengths that promise more than there is", "truncated", under("9a 0001ffff".repeat(100))],
    ["an array of 2^32 - 1", "too-many-items", under("9a ffffffff")],
    ["a text of 2^63", "truncated", under("7b 8000000000000000")],
    ["a record structure", "bad-tag", under("d9 dfff 83 19 e000 82 6161 6162 01 02")],
    ["definitions of record structures", "bad-tag", under("d9 dffe 84 19 e000 81 6161 00 00")],
    ["a record structure, as in older versions", "bad-tag", under("d8 69 84 19 e000 82 6161 6162 01 02")],
    ["bundled strings", "bad-tag", under("d9 dff9 82 1a 00000005 cf 01")],
    ["packed values", "bad-tag", under("d8 33 84 81 6161 80 80 00")],
    ["a reference to packed values", "bad-tag", under("c6 00")],
    ["a shared value", "bad-tag", under("d8 1c 81 d8 1d 00")],
    ["a generic object", "bad-tag", under("d8 1b 83 66 526567457870 6128 60")],
    ["a regular expression", "bad-tag", under("d8 23 6128")],
    ["a date", "bad-tag", under("c0 6161")],
    ["a set", "bad-tag", under("d9 0102 80")],
    ["a Map", "bad-tag", under("d9 0103 a0")],
    ["a typed array", "bad-tag", under("d8 40 41 00")],
    ["a __proto__ key", "proto-key", hex("a1 69 5f5f70726f746f5f5f a1 6161 01")],
    ["the same key twice", "duplicate-key", hex("a2 6161 00 6161 01")],
    ["undefined", "simple-value", under("f7")],
    ["a float", "float", under("fb 3ff8000000000000")],
    ["NaN", "float", under("f9 7e00")],
    ["a second item", "trailing-bytes", hex("a0 a0")],
    ["a list", "not-a-map", hex("80")],
    ["a CID alone", "not-a-map", hex(`d82a 5825 00 01551220${"00".repeat(32)}`)],
    ["nothing", "truncated", hex("")],
    ["more than a block may hold", "too-large", new Uint8Array(MAX_RECORD_BYTES + 1)],
  ])("%s is refused: %s", (_what, reason, block) => {
    expect(refusalOf(block)).toBe(reason);
  });

  test("names of Object.prototype are ordinary keys, and nothing is polluted", () => {
    const record = { constructor: { prototype: { polluted: true } }, hasOwnProperty: 1, toString: null, valueOf: "x" };
    expect(decodeRecord(dagCbor.encode(record))).toEqual(record);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
    expect({}.constructor).toBe(Object);
  });

  test("2,000 flipped bytes: a record or a reason, never anything else", { timeout: 10_000 }, () => {
    const names = Object.getOwnPropertyNames(Object.prototype);
    const blocks = fc.sample(map, { seed: 2, numRuns: 200 }).map(encodeElsewhere);
    const flips = fc.sample(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 })), {
      seed: 3,
      numRuns: 2_000,
    });
    const flipped = flips.map(([which, where, mask]) => {
      const block = Uint8Array.from(blocks[which % blocks.length] ?? []);
      const at = where % block.length;
      block[at] = (block[at] ?? 0) ^ mask;
      return block;
    });
    const accepted = flipped.filter((block) => refusalOf(block) === null);
    expect(accepted.length).toBeGreaterThan(200);
    expect(accepted.length).toBeLessThan(1_500);
    // The reference implementation accepts it with the same result.
    for (const block of accepted) expect(toIpld(decodeRecord(block))).toEqual(dagCbor.decode(block));
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(names);
  });

  test("random bytes behind the head of a map: a record or a reason", () => {
    const tails = fc.sample(fc.uint8Array({ maxLength: 64 }), { seed: 4, numRuns: 5_000 });
    const reasons = new Set(tails.map((tail) => refusalOf(Uint8Array.of(0xa1, 0x61, 0x61, ...tail))));
    // Any other error than a BadRecordError would have been thrown.
    expect(reasons.size).toBeGreaterThan(10);
  });
});

test("a bad record says so itself", () => {
  const error = new BadRecordError("float");
  expect(error).toMatchObject({ name: "BadRecordError", reason: "float", message: "bad record: float" });
  expect(error.isRetryable()).toBe(false);
});
