import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyKey, anyText } from "@firehose-backfill/testing/core/any-text";
import { decodeMessage, encodeMessage, type MessageValue } from "./encode.ts";
import { CborError } from "./refusal.ts";

const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  // Without -0, which is written as the integer 0.
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((double) => double + 0),
  fc.constantFrom(2 ** 32, -(2 ** 32), -(2 ** 32) - 1, 1_790_000_000_000.5),
);
const { value } = fc.letrec<{ value: MessageValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(number, fc.boolean(), fc.constant(null)),
    anyText({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("value"), { maxLength: 30 }),
    fc.dictionary(anyKey(), tie("value"), { noNullPrototype: true }),
  ),
}));

function outcomeOf(message: Uint8Array): string {
  try {
    decodeMessage(message);
    return "value";
  } catch (error) {
    return error instanceof Error ? error.name : typeof error;
  }
}

test("what is written is read back", () => {
  fc.assert(
    fc.property(value, (message) => {
      expect(decodeMessage(encodeMessage(message))).toEqual(message);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("sequence numbers and times beyond 32 bits stay exact", () => {
  const message = { seq: 2 ** 53 - 1, timeMs: 1_790_000_000_123, before: -62_135_596_800_000 };
  expect(decodeMessage(encodeMessage(message))).toEqual(message);
});

test("a message of a megabyte of records costs what they weigh, and shares no memory with the next", () => {
  const records = Array.from({ length: 4 }, (_, index) => new Uint8Array(250_000).fill(index));
  const first = encodeMessage({ records });
  const copy = Buffer.from(first);
  encodeMessage({ records: records.toReversed() });

  expect(first.length).toBeLessThan(1_000_100);
  expect(first.buffer.byteLength).toBe(first.length);
  // Not with toEqual, which takes seconds for a megabyte.
  expect(copy.equals(first)).toBe(true);
  expect(isDeepStrictEqual(decodeMessage(first), { records })).toBe(true);
});

test("a Buffer is written as plain bytes", () => {
  expect(decodeMessage(encodeMessage(Buffer.from("ab")))).toEqual(Uint8Array.of(0x61, 0x62));
});

describe("what could not be read back is not written", () => {
  test.each<readonly [string, unknown]>([
    ["undefined", { a: undefined }],
    ["NaN", Number.NaN],
    ["an infinity", [Number.POSITIVE_INFINITY]],
    ["a date", new Date(0)],
    ["a Map", new Map([["a", 1]])],
    ["a bigint", 2n ** 70n],
    ["a lone surrogate", "\ud800"],
    ["a __proto__ key", JSON.parse('{"__proto__": 1}')],
  ])("%s", (_what, message) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types forbid these values, but a caller may pass them anyway
    expect(() => encodeMessage(message as MessageValue)).toThrow(CborError);
  });
});

describe("only what we would have written is read", () => {
  test.each([
    ["record structures", "d9dfff8319e00081616101"],
    ["a tag", "c100"],
    ["a CID", `d82a58250001551220${"00".repeat(32)}`],
    ["an indefinite length", "9fff"],
    ["a second item", "0000"],
    ["half an item", "8200"],
    ["nothing", ""],
    ["a __proto__ key", "a1695f5f70726f746f5f5fa0"],
  ])("%s", (_what, hex) => {
    expect(() => decodeMessage(Buffer.from(hex, "hex"))).toThrow(CborError);
  });

  test("2,000 flipped bytes: a value or a CborError", () => {
    const message = encodeMessage({
      v: 1,
      run: "r",
      events: [{ seq: 2 ** 40, record: new Uint8Array(40), did: "did:x" }],
    });
    const outcomes = new Set<string>();
    for (const [where, mask] of fc.sample(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
      seed: 5,
      numRuns: 2_000,
    })) {
      const broken = Uint8Array.from(message);
      const at = where % broken.length;
      broken[at] = (broken[at] ?? 0) ^ mask;
      outcomes.add(outcomeOf(broken));
    }
    expect([...outcomes].toSorted()).toEqual(["CborError", "value"]);
  });
});
