import { describe, expect, test } from "vitest";
import { CBOR_REFUSALS, type CborRefusal, CborError, refusalOf } from "./refusal.ts";
import { ATPROTO_RULES, MAX_CONTAINER_ITEMS, MAX_DEPTH, scanItem, skipItem } from "./strict-scan.ts";

const CID = "015512205891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

function scan(hex: string): "accepted" | CborRefusal {
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  const end = scanItem(bytes, 0, bytes.length, ATPROTO_RULES);
  if (end < 0) return refusalOf(end);
  return end === bytes.length ? "accepted" : "trailing-bytes";
}

const REFUSED: readonly (readonly [CborRefusal, string, string])[] = [
  ["truncated", "nothing at all", ""],
  ["truncated", "a head without its number", "18"],
  ["truncated", "half of a number of eight bytes", "1b 00000001"],
  ["truncated", "a text shorter than it says", "63 6161"],
  ["truncated", "bytes of more than 2^53", "5b ffffffffffffffff"],
  ["truncated", "an array that lacks an item", "82 00"],
  ["truncated", "an array of more items than there are bytes", "99 1000 00"],
  ["truncated", "a map that lacks a value", "a1 6161"],
  ["truncated", "a map that lacks a key", "a2 6161 00"],
  ["truncated", "a key shorter than it says", "a1 65 6161"],
  ["truncated", "a tag over nothing", "d82a"],
  ["trailing-bytes", "two items", "00 00"],
  ["depth", "one array too deep", "81".repeat(MAX_DEPTH) + "80"],
  ["depth", "maps and arrays, one too deep", "a16161 81".repeat(MAX_DEPTH / 2) + "a0"],
  ["too-many-items", "one item too many", `9a ${(MAX_CONTAINER_ITEMS + 1).toString(16).padStart(8, "0")} 00`],
  ["too-many-items", "a map of 2^64 - 1", "bb ffffffffffffffff"],
  ["non-minimal", "a small number in two bytes", "18 17"],
  ["non-minimal", "a number of one byte in two", "19 00ff"],
  ["non-minimal", "a number of two bytes in four", "1a 0000ffff"],
  ["non-minimal", "a number of four bytes in eight", "1b 00000000ffffffff"],
  ["non-minimal", "the length of a key", "a1 7801 61 00"],
  ["indefinite-length", "an array", "9f ff"],
  ["indefinite-length", "a text", "7f 6161 ff"],
  ["indefinite-length", "a key", "a1 7f 6161 ff 00"],
  ["indefinite-length", "an end of nothing", "ff"],
  ["reserved", "an additional information of 28", "1c"],
  ["reserved", "the same in a length", "9e"],
  ["integer-range", "2^53", "1b 0020000000000000"],
  ["integer-range", "-2^53", "3b 001fffffffffffff"],
  ["integer-range", "2^64 - 1", "1b ffffffffffffffff"],
  ["integer-range", "-2^64", "3b ffffffffffffffff"],
  ["invalid-utf8", "a continuation without a lead", "61 80"],
  ["invalid-utf8", "an overlong slash", "62 c0af"],
  ["invalid-utf8", "a surrogate", "63 eda080"],
  ["invalid-utf8", "above U+10FFFF", "64 f4908080"],
  ["invalid-utf8", "cut by the end of the text", "61 c3"],
  ["invalid-utf8", "in a key", "a1 61 ff 00"],
  ["key-type", "a number", "a1 00 00"],
  ["key-type", "bytes", "a1 4161 00"],
  ["key-order", "by bytes", "a2 6162 00 6161 00"],
  ["key-order", "by length first", "a2 626161 00 6162 00"],
  ["key-order", "after a nested map", "a2 6162 a1 6161 00 6161 00"],
  ["duplicate-key", "side by side", "a2 6161 00 6161 00"],
  ["duplicate-key", "the empty key twice", "a2 60 00 60 00"],
  ["proto-key", "at the top", "a1 69 5f5f70726f746f5f5f a0"],
  ["proto-key", "further down", "81 a1 69 5f5f70726f746f5f5f 00"],
  ["bad-tag", "a bigint", "c2 41 01"],
  ["bad-tag", "a date", "c1 00"],
  ["bad-tag", "a record structure of cbor-x", "d9 dfff 83 00 81 6161 00"],
  ["bad-tag", "self-described CBOR", "d9 d9f7 00"],
  ["bad-cid", "a text", "d82a 61 00"],
  ["bad-cid", "without the zero in front", `d82a 5825 01 ${CID}`],
  ["bad-cid", "one byte short", `d82a 5824 00 ${CID.slice(0, -2)}`],
  ["bad-cid", "of dag-pb", "d82a 5825 00 01701220" + "00".repeat(32)],
  ["bad-cid", "of blake3", "d82a 5825 00 01551e20" + "00".repeat(32)],
  ["bad-cid", "of version 0", "d82a 5823 00 1220" + "00".repeat(32)],
  ["float", "1.5", "fb 3ff8000000000000"],
  ["float", "1.5 in two bytes", "f9 3e00"],
  ["float", "NaN in four bytes", "fa 7fc00000"],
  ["simple-value", "undefined", "f7"],
  ["simple-value", "unassigned", "e0"],
  ["simple-value", "in two bytes", "f8 20"],
];

test.each(REFUSED)("refuses with %s: %s", (reason, _what, hex) => {
  expect(scan(hex)).toBe(reason);
});

test("every reason but the decoder's own has a case above", () => {
  const shown = new Set(REFUSED.map(([reason]) => reason));
  expect(CBOR_REFUSALS.filter((reason) => !shown.has(reason))).toEqual(["not-a-map"]);
});

test.each([
  ["the largest number", "1b 001fffffffffffff"],
  ["the smallest number", "3b 001ffffffffffffe"],
  ["false, true, null", "83 f4 f5 f6"],
  ["empty containers", "84 80 a0 40 60"],
  ["keys by length, then bytes", "a3 6161 00 6162 00 626161 00"],
  ["the same keys in two maps", "82 a1 6161 00 a1 6161 00"],
  ["arrays as deep as allowed", "81".repeat(MAX_DEPTH - 1) + "80"],
  ["keys that are names of Object.prototype", "a1 6b 636f6e7374727563746f72 a1 69 70726f746f74797065 00"],
  ["U+0000, U+FFFE and U+FFFF in a text", "67 00 efbfbe efbfbf"],
  ["the first and the last of each length of UTF-8", "6c 7f c280 dfbf e0a080 f48fbfbf"],
])("accepts %s", (_what, hex) => {
  expect(scan(hex)).toBe("accepted");
});

test("a CID of dag-cbor and one of raw are accepted", () => {
  expect(scan(`d82a 5825 00 01551220${"00".repeat(32)}`)).toBe("accepted");
  expect(scan(`d82a 5825 00 01711220${"ff".repeat(32)}`)).toBe("accepted");
});

test("as many items as allowed are accepted", () => {
  const bytes = new Uint8Array(5 + MAX_CONTAINER_ITEMS);
  bytes.set([0x9a, 0, 2, 0, 0]);
  expect(scanItem(bytes, 0, bytes.length, ATPROTO_RULES)).toBe(bytes.length);
});

describe("a range of a larger buffer", () => {
  const frame = Buffer.from("ffff a1 6161 82 01 02 f6 ffff".replaceAll(" ", ""), "hex");

  test("items are skipped one after the other", () => {
    const end = skipItem(frame, 2, frame.length);
    expect(end).toBe(8);
    expect(skipItem(frame, end, frame.length)).toBe(9);
  });

  test("what lies beyond the end of the range is not seen", () => {
    expect(() => skipItem(frame, 2, 7)).toThrow(new CborError("truncated"));
  });

  test("the error names its reason and that trying again is of no use", () => {
    const error = new CborError("float");
    expect(error).toMatchObject({ name: "CborError", reason: "float" });
    expect(error.isRetryable()).toBe(false);
  });
});

describe("rules of messages", () => {
  const rules = { sortedKeys: false, cids: false, floats: true };
  const run = (hex: string) => {
    const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
    const end = scanItem(bytes, 0, bytes.length, rules);
    return end < 0 ? refusalOf(end) : "accepted";
  };

  test("64-bit floats and any order of keys are accepted", () => {
    expect(run("fb 3ff8000000000000")).toBe("accepted");
    expect(run("fb 7fefffffffffffff")).toBe("accepted");
    expect(run("a2 6162 00 6161 00")).toBe("accepted");
  });

  test("NaN, infinities, cut and short floats, and CIDs are refused", () => {
    expect(run("fb 7ff8000000000000")).toBe("float");
    expect(run("fb fff0000000000000")).toBe("float");
    expect(run("fa 3fc00000")).toBe("float");
    expect(run("fb 3ff80000")).toBe("truncated");
    expect(run(`d82a 5825 00 01551220${"00".repeat(32)}`)).toBe("bad-tag");
  });
});
