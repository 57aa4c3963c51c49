import fc from "fast-check";
import { CID } from "multiformats/cid";
import { describe, expect, test } from "vitest";
import { cidEquals, cidFromText, cidOf, cidToText, CODEC_RAW, hashMatches, isCid } from "./cid.ts";

const POST = "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq";
const cid = fc
  .tuple(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.constantFrom(0x71, 0x55))
  .map(([digest, codec]) => Uint8Array.of(1, codec, 0x12, 0x20, ...digest));

test("text and bytes agree with multiformats, both ways", () => {
  fc.assert(
    fc.property(cid, (bytes) => {
      const text = CID.decode(bytes).toString();
      expect(cidToText(bytes)).toBe(text);
      expect(cidFromText(text)).toEqual(bytes);
    }),
    { seed: 1, numRuns: 500 },
  );
});

test.each([
  ["nothing", ""],
  ["version 0", "QmQg1v4o9xdT3Q14wh4S7dxZkDjyZ9ssFzFzyep1YrVJBY"],
  ["upper case", POST.toUpperCase()],
  ["another base", `z${POST.slice(1)}`],
  ["a character too few", POST.slice(0, -1)],
  ["a character too many", `${POST}a`],
  ["a character outside the alphabet", POST.replace("y", "1")],
  ["bits at the end that no byte has", `${POST.slice(0, -1)}r`],
  ["dag-pb", CID.decode(Uint8Array.of(1, 0x70, 0x12, 0x20, ...new Uint8Array(32))).toString()],
])("%s is not the text of a CID here", (_what, text) => {
  expect(cidFromText(text)).toBeNull();
});

test("only version 1, dag-cbor or raw, sha-256 are CIDs, at any offset that holds all of them", () => {
  const bytes = Uint8Array.of(9, 9, 1, 0x71, 0x12, 0x20, ...new Uint8Array(32));
  expect(isCid(bytes, 2)).toBe(true);
  expect(isCid(bytes)).toBe(false);
  expect(isCid(bytes.subarray(0, 37), 2)).toBe(false);
  for (const at of [2, 3, 4, 5]) {
    const wrong = Uint8Array.from(bytes);
    wrong[at] = 0x13;
    expect(isCid(wrong, 2)).toBe(false);
  }
});

describe("equality", () => {
  const one = cidOf(Uint8Array.of(1));

  test("compares 36 bytes wherever they lie", () => {
    const inside = Uint8Array.of(7, 7, ...one, 7);
    expect(cidEquals(one, Uint8Array.from(one))).toBe(true);
    expect(cidEquals(one, inside, 0, 2)).toBe(true);
    expect(cidEquals(inside, one, 2)).toBe(true);
    expect(cidEquals(one, cidOf(Uint8Array.of(2)))).toBe(false);
  });

  test("every byte counts, and what is too short is never equal", () => {
    for (let at = 0; at < one.length; at++) {
      const other = Uint8Array.from(one);
      other[at] = (other[at] ?? 0) ^ 1;
      expect(cidEquals(one, other)).toBe(false);
    }
    expect(cidEquals(one, one.subarray(0, 35))).toBe(false);
    expect(cidEquals(new Uint8Array(0), new Uint8Array(0))).toBe(false);
  });
});

describe("hashes", () => {
  const block = Buffer.from("a record, or so");

  test("a block matches the CID that is made of it, whatever the codec", () => {
    expect(hashMatches(cidOf(block), block)).toBe(true);
    expect(hashMatches(cidOf(block, CODEC_RAW), block)).toBe(true);
  });

  test("no other block does, and nothing matches what is not a CID", () => {
    expect(hashMatches(cidOf(block), block.subarray(1))).toBe(false);
    expect(hashMatches(Uint8Array.of(...cidOf(block), 0), block)).toBe(false);
    expect(hashMatches(new Uint8Array(36), block)).toBe(false);
    expect(hashMatches(new Uint8Array(0), block)).toBe(false);
  });
});
