import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { confidenceOf, mostBad } from "./confidence.ts";

function choose(from: bigint, chosen: bigint): bigint {
  if (chosen < 0n || chosen > from) return 0n;
  let result = 1n;
  for (let index = 1n; index <= chosen; index++) result = (result * (from - chosen + index)) / index;
  return result;
}

/** Exact, with whole numbers: in how many of all samples the number of bad ones is at most `found`. */
function samplesWithAtMost(found: number, population: number, bad: number, sampled: number): bigint {
  let sum = 0n;
  for (let count = 0; count <= found; count++) {
    sum += choose(BigInt(bad), BigInt(count)) * choose(BigInt(population - bad), BigInt(sampled - count));
  }
  return sum;
}

const sizes = fc
  .integer({ min: 1, max: 60 })
  .chain((population) => fc.tuple(fc.constant(population), fc.integer({ min: 0, max: population })))
  .chain(([population, sampled]) =>
    fc.record({
      population: fc.constant(population),
      sampled: fc.constant(sampled),
      found: fc.integer({ min: 0, max: sampled }),
    }),
  );

describe("what a sample says of all", () => {
  it("issue 16.4: is the largest number that the sample leaves possible, by brute force", () => {
    fc.assert(
      fc.property(sizes, fc.constantFrom(0.9, 0.95, 0.99), ({ population, sampled, found }, level) => {
        const all = choose(BigInt(population), BigInt(sampled));
        // In whole numbers: chance >= 1 - level.
        const limit = BigInt(Math.round((1 - level) * 100));
        const possible = Array.from({ length: population + 1 }, (_, bad) => bad).filter(
          (bad) =>
            bad >= found &&
            population - bad >= sampled - found &&
            samplesWithAtMost(found, population, bad, sampled) * 100n >= limit * all,
        );
        expect(mostBad({ population, sampled, found, level })).toBe(possible.at(-1) ?? found);
      }),
      { numRuns: 3_000, seed: 1640 },
    );
  });

  it("issue 16.4: is true in at least 95 of 100 samples, whatever the copy is like", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }).chain((population) =>
          fc.record({
            population: fc.constant(population),
            bad: fc.integer({ min: 0, max: population }),
            sampled: fc.integer({ min: 1, max: population }),
          }),
        ),
        ({ population, bad, sampled }) => {
          let covered = 0n;
          for (let found = 0; found <= Math.min(bad, sampled); found++) {
            const ways = choose(BigInt(bad), BigInt(found)) * choose(BigInt(population - bad), BigInt(sampled - found));
            if (ways > 0n && mostBad({ population, sampled, found, level: 0.95 }) >= bad) covered += ways;
          }
          expect(covered * 100n >= 95n * choose(BigInt(population), BigInt(sampled))).toBe(true);
        },
      ),
      { numRuns: 1_000, seed: 1641 },
    );
  });

  it.each([
    // The rule of three: none of n means at most about 3/n.
    [{ population: 41_200, sampled: 400, found: 0, level: 0.95 }, 305],
    [{ population: 43_000_000, sampled: 1_000, found: 0, level: 0.95 }, 128_622],
    [{ population: 1_000, sampled: 1_000, found: 7, level: 0.95 }, 7],
    [{ population: 10, sampled: 0, found: 0, level: 0.95 }, 10],
  ])("of %o at most %i", (options, most) => {
    expect(mostBad(options)).toBe(most);
  });

  it("issue 16.4: of 41,200 repositories at most 0.75 % differ", () => {
    const { differing, of, sampled } = confidenceOf({
      of: 41_200,
      isExact: true,
      sampled: 400,
      differing: 0,
      notEqual: 2,
    });
    expect({ of, sampled, ...differing }).toEqual({
      of: 41_200,
      sampled: 400,
      found: 0,
      atMost: 305,
      share: 305 / 41_200,
    });
  });
});
