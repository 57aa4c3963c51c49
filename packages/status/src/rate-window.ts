/**
 * The rate of the last minute, from samples of the number of processed events. Pure; the number of samples is limited by their spacing.
 * It does not store the samples: a process keeps them in memory; a function has none, and its rate is unknown.
 *
 * The rate is never higher than the real one: batches are counted whole, so the first batch of the window does not count (it
 * belongs to the time before), and there is no rate before half a window has passed.
 */
export interface RateSample {
  /** Samples of another run are ignored. */
  readonly runId: string;
  /** Samples of another pace are ignored, too, so that a tune shows at once and not over a minute. */
  readonly paceVersion: number;
  readonly atMs: number;
  readonly processed: number;
}

export const RATE_WINDOW_MS = 60_000;
const BATCHES_A_WINDOW = 5;
/** Samples that are closer together than this share of a window replace each other, so a window has at most about 60. */
const SAMPLES_A_WINDOW = 60;

/** A minute, or longer if a minute has only a few batches. */
export function rateWindowMs(effectiveDelayMs: number): number {
  return Math.max(RATE_WINDOW_MS, BATCHES_A_WINDOW * effectiveDelayMs);
}

/** The samples with `next` added: those of the window, and the one before it, where the window begins. */
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

/** Events per second over the samples; null while they cover less than half a window. */
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
  // If only the last moments have a batch, the whole window counts, because nothing was done in the rest of it.
  const fromMs = nowMs - beforeMs >= leastMs ? beforeMs : first.atMs;
  return ((last.processed - processed) * 1_000) / (nowMs - fromMs);
}

/** The first batch that was seen to end, and the last sample before it. null: there was none. */
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
