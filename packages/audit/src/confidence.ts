/**
 * What a random sample says of all: how many of the whole can be bad at most, when so many of the sample were. Exact: the sample is drawn without
 * putting back, which is the hypergeometric distribution.
 */
import type { AtMost, AuditConfidence } from "@firehose-backfill/core/audit-note";

export const LEVEL = 0.95;

export function confidenceOf(sample: {
  readonly of: number;
  readonly isExact: boolean;
  readonly sampled: number;
  readonly differing: number;
  readonly notEqual: number;
}): AuditConfidence {
  const { isExact, sampled } = sample;
  // The copy may have grown since it was counted.
  const of = Math.max(sample.of, sampled);
  const atMost = (found: number): AtMost => {
    const most = mostBad({ population: of, sampled, found, level: LEVEL });
    return { found, atMost: most, share: of === 0 ? 0 : most / of };
  };
  return {
    level: LEVEL,
    of,
    isExact,
    sampled,
    differing: atMost(sample.differing),
    notEqual: atMost(sample.notEqual),
  };
}

export interface BoundOptions {
  readonly population: number;
  readonly sampled: number;
  /** Bad ones in the sample. */
  readonly found: number;
  readonly level: number;
}

/** A chance that is exactly 1 - level must not be missed by the last digit: one more is on the safe side. */
const ROUNDING = 1e-9;

/** The largest number of bad ones in the population with which a sample would show `found` or fewer in at least 1 - `level` of all cases. */
export function mostBad({ population, sampled, found, level }: BoundOptions): number {
  let low = found;
  // As many as there can be, when the rest of the population is bad.
  let high = population - (sampled - found);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (chanceOfAtMost(found, { population, bad: middle, sampled }) >= 1 - level - ROUNDING) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** P(X <= found), where X is the number of bad ones in a sample. */
function chanceOfAtMost(
  found: number,
  { population, bad, sampled }: { readonly population: number; readonly bad: number; readonly sampled: number },
): number {
  const good = population - bad;
  const least = Math.max(0, sampled - good);
  const most = Math.min(found, bad, sampled);
  const all = logChoose(population, sampled);
  let sum = 0;
  for (let count = least; count <= most; count++) {
    sum += Math.exp(logChoose(bad, count) + logChoose(good, sampled - count) - all);
  }
  return sum;
}

function logChoose(from: number, chosen: number): number {
  return logFactorial(from) - logFactorial(chosen) - logFactorial(from - chosen);
}

const SMALL = 256;
const SMALL_LOGS = smallLogs();

/** Stirling's series: above 256 its third term is below what a number can hold. */
function logFactorial(value: number): number {
  const small = SMALL_LOGS[value];
  if (small !== undefined) return small;
  const cube = value ** 3;
  return value * Math.log(value) - value + Math.log(2 * Math.PI * value) / 2 + 1 / (12 * value) - 1 / (360 * cube);
}

function smallLogs(): readonly number[] {
  const logs = [0];
  for (let value = 1; value < SMALL; value++) logs.push((logs[value - 1] ?? 0) + Math.log(value));
  return logs;
}
