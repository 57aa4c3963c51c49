/** A median with its confidence interval, computed from the order of the values only, without assuming a distribution. */
import { median } from "./lanes.ts";

export interface MedianInterval {
  readonly median: number;
  /** Contains the true median with a probability of at least 95 %. null: there are fewer than six values. */
  readonly interval: readonly [low: number, high: number] | null;
}

/** Counted from both ends: the median is outside of the k-th values with a probability of 2 x P(Binomial(n, 1/2) < k). */
export function medianInterval(values: readonly number[]): MedianInterval {
  const sorted = values.toSorted((left, right) => left - right);
  const n = sorted.length;
  let k = 0;
  for (let outside = 0, term = 2 / 2 ** n; outside + term <= 0.05; k += 1) {
    outside += term;
    term *= (n - k) / (k + 1);
  }
  const [low, high] = [sorted[k - 1], sorted[n - k]];
  return {
    median: round(median(sorted)),
    interval: low === undefined || high === undefined ? null : [round(low), round(high)],
  };
}

function round(value: number): number {
  return Number(value.toFixed(4));
}
