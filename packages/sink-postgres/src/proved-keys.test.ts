import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addProved, MOST_STRETCHES, type ProvedKeys, provedUpTo } from "./proved-keys.ts";

const KEYS = ["b", "d", "f", "h", "j"];
const BOUNDS = ["", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];

const stretch: fc.Arbitrary<ProvedKeys> = fc
  .record({
    from: fc.constantFrom(...BOUNDS),
    to: fc.constantFrom(...BOUNDS),
    rev: fc.constantFrom("1", "2", "3"),
    sinceTid: fc.constantFrom(null, "t1", "t2"),
  })
  .filter(({ from, to }) => from < to);

/** The newest revision that says something about a key of that age. */
const revOf = (stretches: readonly ProvedKeys[], key: string, age: string) =>
  stretches
    .filter(({ from, to, sinceTid }) => from < key && key <= to && (sinceTid ?? "") <= age)
    .reduce((newest, { rev }) => (rev > newest ? rev : newest), "");
const all = (stretches: readonly ProvedKeys[]) =>
  KEYS.flatMap((key) => ["", "t1", "t2"].map((age) => `${key} ${age} ${revOf(stretches, key, age)}`));

describe("issue 15.3: what is proved of a repository", () => {
  test("is what all ranges say together, in any order, and nothing else", () => {
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 12 }), (added) => {
        const known = added.reduce<readonly ProvedKeys[]>(addProved, []);
        expect(all(known)).toEqual(all(added));
        expect(known.length).toBeLessThanOrEqual(2 * added.length);
        // Said again, it changes nothing.
        for (const one of added) expect(addProved(known, one)).toBe(known);
      }),
    );
  });

  test("says up to which key of a range everything is known", () => {
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 8 }), stretch, (added, range) => {
        const known = added.reduce<readonly ProvedKeys[]>(addProved, []);
        const upTo = provedUpTo(known, range);
        expect(upTo >= range.from && upTo <= range.to).toBe(true);
        for (const key of KEYS.filter((it) => it > range.from && it <= upTo))
          expect(revOf(known, key, range.sinceTid ?? "") >= range.rev).toBe(true);
        expect(provedUpTo(addProved(known, range), range)).toBe(range.to);
      }),
    );
  });

  test("is one interval after a walk in order, in whatever order the ranges were applied", () => {
    const ranges = Array.from({ length: 100 }, (_, n) => ({
      from: String(1000 + n),
      to: String(1001 + n),
      rev: "5",
      sinceTid: null,
    }));
    fc.assert(
      fc.property(fc.shuffledSubarray(ranges.slice(0, 25), { minLength: 25 }), (first) => {
        const known = [...first, ...ranges.slice(25)].reduce<readonly ProvedKeys[]>(addProved, []);
        expect(known).toEqual([{ from: "1000", to: "1100", rev: "5", sinceTid: null }]);
      }),
      { numRuns: 20 },
    );
  });

  test("is limited: if a repository is written to all the time, the oldest part becomes less exact and never claims too much", () => {
    const ranges = Array.from({ length: 500 }, (_, n) => ({
      from: String(1000 + n),
      to: String(1001 + n),
      rev: String(1000 + n),
      sinceTid: null,
    }));
    const known = ranges.reduce<readonly ProvedKeys[]>(addProved, []);
    expect(known.length).toBeLessThanOrEqual(MOST_STRETCHES);
    expect([known[0]?.from, known.at(-1)?.to]).toEqual(["1000", "1500"]);
    for (const { to, rev } of ranges) {
      const kept = revOf(known, to, "");
      expect(kept !== "" && kept <= rev).toBe(true);
    }
    const apart = ranges.map((range) => ({ ...range, to: `${range.from}5` }));
    const newest = apart.reduce<readonly ProvedKeys[]>(addProved, []);
    expect(newest).toEqual(apart.slice(-MOST_STRETCHES));
  });
});
