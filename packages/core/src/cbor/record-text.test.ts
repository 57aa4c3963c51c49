/** Judged by cbor-x behind the strict scan (decodeAnyRecord), and what recordToJson makes of its values. */
import * as dagCbor from "@ipld/dag-cbor";
import fc from "fast-check";
import { CID } from "multiformats/cid";
import { expect, test } from "vitest";
import { anyKey, anyText } from "@firehose-backfill/testing/core/any-text";
import { cidOf } from "../cid.ts";
import { BadRecordError, decodeAnyRecord } from "./decode-record.ts";
import { recordToJson } from "./record-json.ts";
import { recordText } from "./record-text.ts";

const integer = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, -1, -24, -25, -(2 ** 32), -(2 ** 32) - 1),
);
const link = fc.uint8Array({ maxLength: 8 }).map((bytes) => CID.decode(cidOf(bytes)));
const awkward = fc.constantFrom(
  '"',
  "\\",
  "\\u0000",
  "\\\\u0000",
  "\u001f",
  "\u007f",
  "\u2028",
  "\uFEFF",
  "\uFFFE",
  "\0",
);
const { map } = fc.letrec<{ value: unknown; map: object; list: unknown[] }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(integer, fc.boolean(), fc.constant(null)),
    fc.oneof(
      anyText({ maxLength: 60 }),
      awkward,
      fc.tuple(awkward, anyText(), awkward).map((parts) => parts.join("")),
    ),
    fc.uint8Array({ maxLength: 40 }),
    link,
    tie("list"),
    tie("map"),
  ),
  list: fc.array(tie("value"), { maxLength: 6 }),
  map: fc.dictionary(fc.oneof(anyKey(), fc.constantFrom("1", "02", "constructor", '"')), tie("value"), {
    maxKeys: 8,
    noNullPrototype: true,
  }),
}));

/** The parsed text, or why there is none. */
function outcomeOf(toText: () => string): unknown {
  try {
    return JSON.parse(toText());
  } catch (error) {
    if (error instanceof BadRecordError) return error.reason;
    throw error;
  }
}

function expectSame(block: Uint8Array): unknown {
  const expected = outcomeOf(() => recordToJson(decodeAnyRecord(block)));
  expect(outcomeOf(() => recordText(block))).toEqual(expected);
  return expected;
}

test("issue 19.3: a record's text says what its decoded values say, or is refused for the same reason", () => {
  const outcomes = new Set<unknown>();
  fc.assert(
    fc.property(map, (record) => {
      const outcome = expectSame(dagCbor.encode(record));
      outcomes.add(typeof outcome === "string" ? outcome : "text");
    }),
    { seed: 1, numRuns: 1_000 },
  );
  expect(outcomes).toEqual(new Set(["nul-character", "text"]));
});

test("issue 19.3: flipped bytes have the same outcome on both ways", { timeout: 20_000 }, () => {
  const blocks = fc.sample(map, { seed: 2, numRuns: 200 }).map((record) => dagCbor.encode(record));
  const flips = fc.sample(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 })), { seed: 3, numRuns: 3_000 });
  const outcomes = flips.map(([which, where, mask]) => {
    const block = Uint8Array.from(blocks[which % blocks.length] ?? []);
    const at = where % block.length;
    block[at] = (block[at] ?? 0) ^ mask;
    return expectSame(block);
  });
  expect(outcomes.filter((outcome) => typeof outcome !== "string").length).toBeGreaterThan(200);
  expect(new Set(outcomes.filter((outcome) => typeof outcome === "string")).size).toBeGreaterThan(5);
});

test("one that is refused leaves nothing behind for the next one", () => {
  const good = dagCbor.encode({ a: ["b", { c: 1 }] });
  expect(() => recordText(dagCbor.encode({ a: ["\0"] }))).toThrow(new BadRecordError("nul-character"));
  expect(() => recordText(good.subarray(0, 4))).toThrow(BadRecordError);
  expect(recordText(good)).toBe('{"a":["b",{"c":1}]}');
});

test("a block in the middle of other memory, as a Buffer or not", () => {
  const encoded = dagCbor.encode({
    bytes: Uint8Array.of(0xfb, 0xff, 0xfe, 0x00),
    link: CID.decode(cidOf(Uint8Array.of(1))),
  });
  const memory = Buffer.alloc(1_000, 0xff);
  memory.set(encoded, 500);
  const block = memory.subarray(500, 500 + encoded.length);
  expect(recordText(block)).toBe(recordToJson(decodeAnyRecord(encoded)));
  expect(recordText(new Uint8Array(block.buffer, block.byteOffset, block.length))).toBe(recordText(block));
});
