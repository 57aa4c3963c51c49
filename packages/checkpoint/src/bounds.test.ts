import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addDeadReasons, addSkipped, boundTunes, MAX_REASON_BYTES, readTunes, shorten, shortenText } from "./bounds.ts";
import type { TuneRecord } from "./pace.ts";

/** Characters of one to four bytes in UTF-8, and halves of surrogate pairs, which have no UTF-8. */
const anyUnit = fc.constantFrom("a", "~", "\u0000", "ä", "€", "😀", "\ud83d", "\ude00");

describe("a text", () => {
  test("is cut between characters, and only when it is too long", () => {
    fc.assert(
      fc.property(fc.string({ unit: anyUnit, maxLength: 40 }), fc.integer({ min: 0, max: 60 }), (text, maxBytes) => {
        const short = shorten(text, maxBytes);
        expect(Buffer.byteLength(short)).toBeLessThanOrEqual(maxBytes);
        expect(text.toWellFormed().startsWith(short)).toBe(true);
        const [next = ""] = text.toWellFormed().slice(short.length);
        const isWhole = short === text.toWellFormed();
        expect(isWhole || Buffer.byteLength(short + next) > maxBytes).toBe(true);
      }),
    );
  });

  test("that is huge is not encoded as a whole", () => {
    expect(shorten("ä".repeat(2_000_000), 7)).toBe("äää");
  });
});

describe("fault 35: a reason for a person", () => {
  test.each([
    ["is whole where it fits", "waiting: database", /^waiting: database$/],
    [
      "is cut at a word, and says that more was there",
      `throttle query: ${"many words ".repeat(20)}`,
      /^throttle query: (many words )*many( words)?…$/,
    ],
    ["without a space in it is cut where it must be", "x".repeat(300), /^x+…$/],
  ])("%s", (_name, text, expected) => {
    const short = shortenText(text);
    expect(Buffer.byteLength(short)).toBeLessThanOrEqual(MAX_REASON_BYTES);
    expect(short).toMatch(expected);
  });

  test("is never longer than it may be, and never half a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: anyUnit, maxLength: 300 }), (text) => {
        const short = shortenText(text);
        expect(Buffer.byteLength(short)).toBeLessThanOrEqual(MAX_REASON_BYTES);
        expect(short.isWellFormed()).toBe(true);
      }),
    );
  });
});

describe("skipped events", () => {
  test("are summed, in at most 5 reasons, and none goes missing", () => {
    const counts = fc.dictionary(fc.string({ maxLength: 40 }), fc.nat(1000), { maxKeys: 30 });
    fc.assert(
      fc.property(fc.array(counts, { maxLength: 5 }), (windows) => {
        const sums = windows.reduce<Record<string, number>>(addSkipped, {});
        const total = (record: Readonly<Record<string, number>>) =>
          Object.values(record).reduce((sum, n) => sum + n, 0);
        expect(total(sums)).toBe(windows.reduce((sum, window) => sum + total(window), 0));
        expect(Object.keys(sums).length).toBeLessThanOrEqual(5);
      }),
    );
  });

  test("keep a reason once it is listed", () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`reason ${index}`, 1]));
    const sums = addSkipped(addSkipped({}, many), many);
    expect(sums).toMatchObject({ "reason 0": 2, "reason 3": 2, other: 32 });
  });
});

test("dead events are corrected by reason, and a reason that is down to 0 is gone", () => {
  const dead = addDeadReasons({ float: 2 }, { float: -2, "nul-character": 3 });
  expect(dead).toEqual({ "nul-character": 3 });
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`reason ${index}`, 1]));
  expect(addDeadReasons(dead, many)).toMatchObject({ "nul-character": 3, "reason 5": 1, other: 14 });
});

describe("tunes", () => {
  test("read back as they were bounded, in at most 600 bytes", () => {
    const value = fc.oneof(fc.string({ unit: anyUnit, maxLength: 100 }), fc.integer(), fc.boolean());
    const tune: fc.Arbitrary<TuneRecord> = fc.record({
      atMs: fc.integer({ min: 0, max: 2 ** 52 }),
      by: fc.constantFrom("tune", "resume", "deploy", "off-peak"),
      changes: fc.dictionary(
        fc.string({ maxLength: 80 }),
        fc.record({ from: value, to: value }, { noNullPrototype: true }),
        {
          maxKeys: 20,
          noNullPrototype: true,
        },
      ),
    });
    fc.assert(
      fc.property(fc.array(tune, { maxLength: 8 }), (given) => {
        const { tunes, bytes } = boundTunes(given);
        expect(readTunes(bytes)).toEqual(tunes);
        expect(bytes?.byteLength ?? 0).toBeLessThanOrEqual(600);
        expect(tunes.map(({ atMs }) => atMs)).toEqual(given.slice(given.length - tunes.length).map(({ atMs }) => atMs));
        expect(tunes.length > 0).toBe(given.length > 0);
      }),
    );
  });

  test("of all settings fit five times", () => {
    const names = ["SIZE", "DELAY_MS", "CONCURRENT", "MEMORY_MB", "IDLE", "POOL_SIZE", "INTERVAL"];
    const five = Array.from({ length: 5 }, (_, index): TuneRecord => ({
      atMs: 1_760_000_000_000 + index * 98_765,
      by: "tune",
      changes: Object.fromEntries(
        names.map((name, at) => [`BACKFILL_${name}`, { from: index * 37 + at, to: index * 73 + at }]),
      ),
    }));
    expect(boundTunes(five).tunes).toEqual(five);
  });

  test("that are damaged are not read", () => {
    expect(() => readTunes(new Uint8Array([1, 2, 3]))).toThrow(expect.objectContaining({ name: "BrokenStateError" }));
  });
});
