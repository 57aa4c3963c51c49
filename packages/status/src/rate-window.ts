/**
 * The rate of the last minute, from what was processed when. Pure: samples in, samples out, bounded by their spacing.
 * It does not know where the samples are kept; a process keeps them in memory, a function has none and shows the average.
 */
export interface RateSample {
  /** Samples of another run say nothing about this one. */
  readonly runId: string;
  /** Samples of another pace as well: a tune shows at once, not as a minute's slow climb. */
  readonly paceEpoch: number;
  readonly atMs: number;
  readonly processed: number;
}

export const RATE_WINDOW_MS = 60_000;
/** Samples closer together than this replace each other, so that a window never holds more than about 60 of them. */
const SPACING_MS = 1_000;

/** The samples with `next` added: those of the last minute, and the one before it, which the minute is measured from. */
export function addRateSample(samples: readonly RateSample[], next: RateSample): readonly RateSample[] {
  const last = samples.at(-1);
  const isOther = last !== undefined && (last.runId !== next.runId || last.paceEpoch !== next.paceEpoch);
  if (isOther || (last !== undefined && (last.atMs > next.atMs || last.processed > next.processed))) return [next];
  const beforeLast = samples.at(-2);
  const isCrowded = last !== undefined && beforeLast !== undefined && last.atMs - beforeLast.atMs < SPACING_MS;
  const kept = isCrowded ? samples.slice(0, -1) : samples;
  const windowStartMs = next.atMs - RATE_WINDOW_MS;
  const firstInside = kept.findIndex((sample) => sample.atMs > windowStartMs);
  const firstKept = firstInside === -1 ? Math.max(0, kept.length - 1) : Math.max(0, firstInside - 1);
  return [...kept.slice(firstKept), next];
}

/** Events a second over the samples; null while they span less than a second. */
export function rateOf(samples: readonly RateSample[], nowMs: number): number | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return null;
  const spanMs = nowMs - first.atMs;
  if (spanMs < SPACING_MS) return null;
  return ((last.processed - first.processed) * 1_000) / spanMs;
}
