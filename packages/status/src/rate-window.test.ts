import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addRateSample, RATE_WINDOW_MS, rateOf, type RateSample } from "./rate-window.ts";

function sample(atMs: number, processed: number, runId = "run-1", paceEpoch = 1): RateSample {
  return { runId, paceEpoch, atMs, processed };
}

function collect(samples: readonly RateSample[]): readonly RateSample[] {
  let window: readonly RateSample[] = [];
  for (const next of samples) window = addRateSample(window, next);
  return window;
}

describe("the rate of the last minute", () => {
  it("is what was processed over the time between the samples", () => {
    expect(rateOf(collect([sample(0, 0), sample(10_000, 25)]), 10_000)).toBe(2.5);
  });

  it("forgets what is older than a minute", () => {
    const fastThenSlow = [...Array(61).keys()].map((second) => sample(second * 1_000, second * 100));
    const slow = [...Array(120).keys()].map((second) => sample((61 + second) * 1_000, 6_000 + second));
    expect(rateOf(collect([...fastThenSlow, ...slow]), 180_000)).toBeCloseTo(1, 1);
  });

  it("falls while nothing is processed any more", () => {
    expect(rateOf(collect([sample(0, 0), sample(10_000, 100)]), 40_000)).toBe(2.5);
  });

  it("is not known yet within the first second", () => {
    expect(rateOf([], 0)).toBeNull();
    expect(rateOf(collect([sample(0, 0), sample(900, 50)]), 900)).toBeNull();
  });

  it("begins anew with another run, and when a new epoch dropped counts", () => {
    expect(collect([sample(0, 10), sample(5_000, 0, "run-2")])).toEqual([sample(5_000, 0, "run-2")]);
    expect(collect([sample(0, 10), sample(5_000, 8)])).toEqual([sample(5_000, 8)]);
  });

  it("begins anew with another pace: a tune shows as soon as it acts", () => {
    const slow = [...Array(60).keys()].map((second) => sample(second * 1_000, second * 2));
    const fast = [...Array(6).keys()].map((second) => sample((60 + second) * 1_000, 120 + second * 20, "run-1", 2));
    expect(rateOf(collect([...slow, ...fast]), 65_000)).toBe(20);
  });

  it("stays small and spans the window however often it is asked", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ passed: fc.integer({ min: 0, max: 5_000 }), more: fc.nat(500) }), { maxLength: 400 }),
        (steps) => {
          let at = 0;
          let processed = 0;
          const window = collect(steps.map(({ passed, more }) => sample((at += passed), (processed += more))));
          expect(window.length).toBeLessThanOrEqual(RATE_WINDOW_MS / 1_000 + 63);
          const last = window.at(-1);
          expect(last).toEqual(steps.length === 0 ? undefined : sample(at, processed));
          const inside = window.filter((kept) => kept.atMs > at - RATE_WINDOW_MS);
          expect(window.length - inside.length).toBeLessThanOrEqual(1);
          expect(rateOf(window, at) ?? 0).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});
