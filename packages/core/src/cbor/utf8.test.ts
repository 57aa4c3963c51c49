import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { anyText } from "@firehose-backfill/testing/core/any-text";
import { isValidUtf8 } from "./utf8.ts";

test("agrees with Node on every sequence of up to two bytes, and on every lead of three and four", () => {
  const wrong: string[] = [];
  const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
  for (let lead = 0; lead < 0x100; lead++) {
    for (let second = 0; second < 0x100; second++) {
      for (const rest of [[], [0x80], [0x80, 0x80], [0xc0], [0x80, 0xc0], [0x80, 0x80, 0x80]]) {
        const bytes = Uint8Array.from([lead, second, ...rest]);
        if (isValidUtf8(bytes, 0, bytes.length) !== isUtf8(bytes)) wrong.push(Buffer.from(bytes).toString("hex"));
      }
    }
    for (const edge of edges) {
      const bytes = Uint8Array.from([lead, edge, edge, edge]);
      expect(isValidUtf8(bytes, 0, 4)).toBe(isUtf8(bytes));
    }
  }
  // Collected into one expectation, because one for each sequence would take minutes.
  expect(wrong).toEqual([]);
});

test("agrees with Node on random bytes and on random texts, short and long", () => {
  const text = anyText({ maxLength: 100 }).map((value) => Buffer.from(value));
  const broken = fc.tuple(text, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([bytes, at, byte]) => {
    if (bytes.length > 0) bytes[at % bytes.length] = byte;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(text, broken, fc.uint8Array({ maxLength: 12 })), (bytes) => {
      expect(isValidUtf8(bytes, 0, bytes.length)).toBe(isUtf8(bytes));
    }),
    { seed: 1, numRuns: 500 },
  );
});

test("a character that goes on beyond the end is broken, whatever follows", () => {
  const bytes = Buffer.from("aé水𐅑b");
  for (const end of [2, 4, 5, 7, 8, 9]) expect(isValidUtf8(bytes, 0, end)).toBe(false);
  for (const end of [0, 1, 3, 6, 10, 11]) expect(isValidUtf8(bytes, 0, end)).toBe(true);
});
