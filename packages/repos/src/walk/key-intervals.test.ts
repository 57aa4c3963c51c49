import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wantedIntervals } from "@firehose-backfill/core/key-interval";
import { intervalsAfter, isWanted, meetsBetween } from "./key-intervals.ts";
import { tidAt } from "@firehose-backfill/core/tid";
import { isOlder } from "./key-time.ts";

describe("intervals of keys", () => {
  it("are in order and do not overlap", () => {
    expect(wantedIntervals(["b.c.d", "a.b.*", "a.b.c", "a.b.c"])).toEqual([
      { from: "a.b.", to: "a.b/" },
      { from: "b.c.d/", to: "b.c.d0" },
    ]);
  });

  it("hold what the patterns say, as a filter would", () => {
    const name = fc.constantFrom("a.b.c", "a.b.c-d", "a.b.cc", "a.b", "a.bb.c", "a.b.c.d", "a.b-.c");
    const pattern = fc.oneof(name, fc.constantFrom("a.*", "a.b.*", "a.b.c.*"));
    fc.assert(
      fc.property(
        fc.array(pattern, { maxLength: 4 }),
        name,
        fc.constantFrom("a", "-", "~", "0"),
        (patterns, of, rkey) => {
          const matches =
            patterns.length === 0 ||
            patterns.some((one) => one === of || (one.endsWith("*") && of.startsWith(one.slice(0, -1))));
          const intervals = wantedIntervals(patterns);
          const key = `${of}/${rkey}`;
          expect(isWanted(intervals, key)).toBe(matches);
          expect(isWanted(intervalsAfter(intervals, key), key)).toBe(false);
          expect(meetsBetween(intervals, `${of}/`, `${of}0`)).toBe(matches);
          expect(meetsBetween(intervalsAfter(intervals, `${of}/b`), `${of}/`, `${of}/a`)).toBe(false);
        },
      ),
      { numRuns: 2_000, seed: 4 },
    );
  });
});

describe("the time of a key", () => {
  it("is that of its TID", () => {
    const since = tidAt(1_700_000_000_000);
    expect(isOlder(`a.b.c/${tidAt(1_699_999_999_999)}`, since)).toBe(true);
    expect(isOlder(`a.b.c/${since}`, since)).toBe(false);
    expect(isOlder(`a.b.c/${tidAt(1_700_000_000_001)}`, since)).toBe(false);
  });

  it.each(["self", "2222222222221", "222222222222", "22222222222222", "x:2222222222222"])("%s has none", (rkey) => {
    expect(isOlder(`a.b.c/${rkey}`, "zzzzzzzzzzzzz")).toBe(false);
  });

  it("before 1970 is the lowest", () => {
    expect(tidAt(-1)).toBe("2222222222222");
  });
});
