import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addRateSample, RATE_WINDOW_MS, rateOf, type RateSample, rateWindowMs } from "./rate-window.ts";

function sample(atMs: number, processed: number, runId = "run-1", paceVersion = 1): RateSample {
  return { runId, paceVersion, atMs, processed };
}

function collect(samples: readonly RateSample[]): readonly RateSample[] {
  let window: readonly RateSample[] = [];
  for (const next of samples) window = addRateSample(window, next);
  return window;
}

describe("the rate of the last minute", () => {
  it("is what was processed over the time between the samples", () => {
    expect(rateOf(collect([sample(0, 0), sample(40_000, 100)]), 40_000)).toBe(2.5);
  });

  it("forgets what is older than a minute", () => {
    const fastThenSlow = [...Array(61).keys()].map((second) => sample(second * 1_000, second * 100));
    const slow = [...Array(120).keys()].map((second) => sample((61 + second) * 1_000, 6_000 + second));
    expect(rateOf(collect([...fastThenSlow, ...slow]), 180_000)).toBeCloseTo(1, 1);
  });

  it("falls while nothing is processed any more", () => {
    expect(rateOf(collect([sample(0, 0), sample(10_000, 100)]), 40_000)).toBe(2.5);
  });

  it("fault 30: is not known yet within the first half minute", () => {
    expect(rateOf([], 0)).toBeNull();
    expect(rateOf(collect([sample(0, 0), sample(900, 50)]), 900)).toBeNull();
    expect(rateOf(collect([sample(0, 0), sample(29_000, 50)]), 29_000)).toBeNull();
  });

  it("begins anew with another run, and when a new generation dropped counts", () => {
    expect(collect([sample(0, 10), sample(5_000, 0, "run-2")])).toEqual([sample(5_000, 0, "run-2")]);
    expect(collect([sample(0, 10), sample(5_000, 8)])).toEqual([sample(5_000, 8)]);
  });

  it("begins anew with another pace: a tune shows as soon as it acts", () => {
    const slow = [...Array(60).keys()].map((second) => sample(second * 1_000, second * 2));
    const fast = [...Array(41).keys()].map((second) => sample((60 + second) * 1_000, 120 + second * 20, "run-1", 2));
    expect(rateOf(collect([...slow, ...fast.slice(0, 20)]), 79_000)).toBeNull();
    expect(rateOf(collect([...slow, ...fast]), 100_000)).toBe(19.5);
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

describe("fault 30: the rate is never above what was done", () => {
  /** Takes a snapshot of a course of finished batches about once a second, as a process does. */
  function watch(
    batches: readonly { readonly atMs: number; readonly events: number }[],
    looksMs: readonly number[],
    windowMs: number,
  ) {
    let window: readonly RateSample[] = [];
    return looksMs.map((atMs) => {
      const processed = batches.reduce((sum, batch) => sum + (batch.atMs <= atMs ? batch.events : 0), 0);
      window = addRateSample(window, sample(atMs, processed), windowMs);
      return { atMs, rate: rateOf(window, atMs, windowMs), fromMs: window[0]?.atMs ?? atMs };
    });
  }

  it("whatever the course: not more than what was applied in the window, over its time", () => {
    const batch = fc.record({ gapMs: fc.integer({ min: 0, max: 40_000 }), events: fc.integer({ min: 1, max: 500 }) });
    const looks = fc.array(fc.integer({ min: 50, max: 3_000 }), { minLength: 1, maxLength: 250 });
    fc.assert(
      fc.property(
        fc.array(batch, { maxLength: 120 }),
        looks,
        fc.integer({ min: 0, max: 60_000 }),
        (gaps, steps, delayMs) => {
          let at = 0;
          const batches = gaps.map(({ gapMs, events }) => ({ atMs: (at += gapMs), events }));
          let look = 0;
          const windowMs = rateWindowMs(delayMs);
          for (const { atMs, rate, fromMs } of watch(
            batches,
            steps.map((step) => (look += step)),
            windowMs,
          )) {
            if (rate === null) continue;
            // The time that the rate is over ends now and is half a window at least, all of it looked at.
            const starts = [fromMs, ...batches.map((done) => done.atMs)].filter(
              (start) => start >= fromMs && atMs - start >= windowMs / 2 - 3_000,
            );
            const most = Math.max(
              ...starts.map((start) => {
                const applied = batches.reduce(
                  (sum, done) => sum + (done.atMs >= start && done.atMs <= atMs ? done.events : 0),
                  0,
                );
                return (applied * 1_000) / Math.max(windowMs / 2, atMs - start);
              }),
            );
            expect(rate).toBeLessThanOrEqual(most + 1e-9);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("a paced run never seems faster than its pace, from its first moment on, and is known within 7 %", () => {
    const course = fc.record({
      delayMs: fc.integer({ min: 100, max: 120_000 }),
      events: fc.integer({ min: 1, max: 1_000 }),
      firstMs: fc.integer({ min: 0, max: 5_000 }),
      stepMs: fc.integer({ min: 900, max: 1_100 }),
    });
    fc.assert(
      fc.property(course, ({ delayMs, events, firstMs, stepMs }) => {
        const windowMs = rateWindowMs(delayMs);
        const untilMs = 2.5 * windowMs;
        const batches = [...Array(Math.ceil(untilMs / delayMs)).keys()].map((index) => ({
          atMs: firstMs + index * delayMs,
          events,
        }));
        const looks = [...Array(Math.min(700, Math.floor(untilMs / stepMs))).keys()].map((index) => index * stepMs);
        const allowed = (events * 1_000) / delayMs;
        const seen = watch(batches, looks, windowMs).flatMap(({ rate }) => (rate === null ? [] : [rate]));
        for (const rate of seen) expect(rate).toBeLessThanOrEqual(allowed * (1 + 1e-9));
        expect(seen.at(-1) ?? 0).toBeGreaterThan(delayMs <= 2_000 ? allowed * 0.93 : 0);
      }),
      { numRuns: 60 },
    );
  });
});

describe("issue 17.2: the rate is of what was done, not of a division by two seconds", () => {
  const everyTwoSeconds = (fromMs: number, toMs: number, before = 0, paceVersion = 1) =>
    [...Array(Math.floor((toMs - fromMs) / 1_000) + 1).keys()].map((second) =>
      sample(fromMs + second * 1_000, before + 5 * Math.floor(second / 2), "run-1", paceVersion),
    );
  const ratesOf = (samples: readonly RateSample[]) => {
    let window: readonly RateSample[] = [];
    return samples.flatMap((next) => rateOf((window = addRateSample(window, next)), next.atMs) ?? []);
  };

  it("first half minute: there is no rate yet, and the first one is not above the pace", () => {
    const rates = ratesOf(everyTwoSeconds(0, 120_000));
    expect(ratesOf(everyTwoSeconds(0, 29_000))).toEqual([]);
    expect(rates.length).toBeGreaterThan(80);
    expect(Math.max(...rates)).toBeLessThanOrEqual(2.5);
  });

  it("restart: a new process begins anew, and what was done while it was away does not count", () => {
    const rates = ratesOf(everyTwoSeconds(70_000, 130_000, 400));
    expect(ratesOf(everyTwoSeconds(70_000, 99_000, 400))).toEqual([]);
    expect(Math.max(...rates)).toBeLessThanOrEqual(2.5);
    expect(Math.min(...rates)).toBeGreaterThan(2.2);
  });

  it("tune: half a window later the rate is that of the new pace", () => {
    const tuned = everyTwoSeconds(60_000, 120_000, 150, 2).map((one, index) => ({
      ...one,
      processed: 150 + 20 * index,
    }));
    const rates = ratesOf([...everyTwoSeconds(0, 60_000), ...tuned]);
    expect(Math.max(...rates)).toBeLessThanOrEqual(20);
    expect(rates.at(-1)).toBeGreaterThan(19);
  });

  it("pause: the time of the pause counts, and after it the rate is not above the pace", () => {
    const before = everyTwoSeconds(0, 60_000);
    const after = everyTwoSeconds(90_000, 150_000, 150);
    const rates = ratesOf([...before, ...after]);
    expect(Math.max(...rates)).toBeLessThanOrEqual(2.5);
  });
});
