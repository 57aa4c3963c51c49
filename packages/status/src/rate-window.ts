/**
 * The rate of the last minute, from what was processed when. Pure: samples in, samples out, bounded by their spacing.
 * It does not know where the samples are kept; a process keeps them in memory, a function has none and says that it does not know.
 *
 * The rate never says more than was done: batches come whole, so the batch that the window begins with is left out (it
 * belongs to the time before), and nothing is said before half a window has passed.
 */
export interface RateSample {
  /** Samples of another run say nothing about this one. */
  readonly runId: string;
  /** Samples of another pace are left out as well, so that a tune shows at once and not over a minute. */
  readonly paceVersion: number;
  readonly atMs: number;
  readonly processed: number;
}

export const RATE_WINDOW_MS = 60_000;
const BATCHES_A_WINDOW = 5;
/** Samples closer together than this part of a window replace each other: a window never holds more than about 60 of them. */
const SAMPLES_A_WINDOW = 60;

/** A minute, and more where a minute holds only a few batches. */
export function rateWindowMs(effectiveDelayMs: number): number {
  return Math.max(RATE_WINDOW_MS, BATCHES_A_WINDOW * effectiveDelayMs);
}

/** The samples with `next` added: those of the window, and the one before it, which the window is measured from. */
export function addRateSample(
  samples: readonly RateSample[],
  next: RateSample,
  windowMs: number = RATE_WINDOW_MS,
): readonly RateSample[] {
  const last = samples.at(-1);
  const isOther = last !== undefined && (last.runId !== next.runId || last.paceVersion !== next.paceVersion);
  if (isOther || (last !== undefined && (last.atMs > next.atMs || last.processed > next.processed))) return [next];
  const beforeLast = samples.at(-2);
  const spacingMs = windowMs / SAMPLES_A_WINDOW;
  const isCrowded = last !== undefined && beforeLast !== undefined && last.atMs - beforeLast.atMs < spacingMs;
  const kept = isCrowded ? samples.slice(0, -1) : samples;
  const windowStartMs = next.atMs - windowMs;
  const firstInside = kept.findIndex((sample) => sample.atMs > windowStartMs);
  const firstKept = firstInside === -1 ? Math.max(0, kept.length - 1) : Math.max(0, firstInside - 1);
  return [...kept.slice(firstKept), next];
}

/** Events a second over the samples; null while they span less than half a window. */
export function rateOf(
  samples: readonly RateSample[],
  nowMs: number,
  windowMs: number = RATE_WINDOW_MS,
): number | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return null;
  const leastMs = windowMs / 2;
  if (nowMs - first.atMs < leastMs) return null;
  const { beforeMs, processed } = firstBatch(samples, windowMs) ?? { beforeMs: first.atMs, processed: first.processed };
  // Where only the last moments have a batch, the whole window counts: nothing was done in the rest of it.
  const fromMs = nowMs - beforeMs >= leastMs ? beforeMs : first.atMs;
  return ((last.processed - processed) * 1_000) / (nowMs - fromMs);
}

/** The first batch that was seen to end, and the last look before it. null: none was seen. */
function firstBatch(
  samples: readonly RateSample[],
  windowMs: number,
): { readonly beforeMs: number; readonly processed: number } | null {
  for (const [index, sample] of samples.entries()) {
    const before = samples[index - 1];
    if (before === undefined || sample.processed === before.processed) continue;
    const isClose = sample.atMs - before.atMs <= (2 * windowMs) / SAMPLES_A_WINDOW;
    return isClose ? { beforeMs: before.atMs, processed: sample.processed } : null;
  }
  return null;
}
