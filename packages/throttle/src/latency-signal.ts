/**
 * Reports when applying a batch has become unusually slow: more than 4 x the median of the last 50 applies.
 * It needs 20 applies before it reports anything. A median below 20 ms counts as 20 ms, because variations of a fast database
 * are no problem.
 */
const WINDOW = 50;
const LEAST_SAMPLES = 20;
const FACTOR = 4;
const FLOOR_MS = 20;

export interface LatencySignal {
  /** Records one apply; true if it was slow compared with those before it. */
  record(durationMs: number): boolean;
  /** null until there are enough samples. */
  medianMs(): number | null;
}

export function createLatencySignal(): LatencySignal {
  const samples: number[] = [];
  let next = 0;

  const medianMs = (): number | null => {
    if (samples.length < LEAST_SAMPLES) return null;
    const sorted = samples.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? null;
  };

  return {
    medianMs,
    record(durationMs) {
      const median = medianMs();
      samples[next] = durationMs;
      next = (next + 1) % WINDOW;
      return median !== null && durationMs > Math.max(median, FLOOR_MS) * FACTOR;
    },
  };
}
