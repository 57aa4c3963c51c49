/**
 * The event time of the stream: the median of the times of the last 101 frames, or of all frames so far, if they are fewer.
 * The time of a frame comes from the account's PDS and may be wrong, so one frame alone decides nothing.
 */

export const REMEMBERED_TIMES = 101;

/** Of an even number of times it is the lower of the two in the middle. null: there is no time so far. */
export function medianTime(recentTimesMs: readonly number[]): number | null {
  const sorted = [...recentTimesMs].sort((left, right) => left - right);
  return sorted[(sorted.length - 1) >> 1] ?? null;
}

/** The newest 101 times and their `medianTime`, for each frame of a stream: nothing is allocated, and nothing is sorted again. */
export interface EventTime {
  add(timeMs: number): void;
  median(): number | null;
  /** The times, oldest first, from which another `startEventTime` can go on. */
  toArray(): readonly number[];
}

export function startEventTime(recentTimesMs: readonly number[]): EventTime {
  const ring = new Float64Array(REMEMBERED_TIMES);
  const sorted = new Float64Array(REMEMBERED_TIMES);
  let count = 0;
  /** Where the next time is written. When the ring is full, the oldest time stands there. */
  let next = 0;

  const add = (timeMs: number): void => {
    if (count === REMEMBERED_TIMES) {
      const leaving = lowerBound(sorted, count, ring[next] ?? 0);
      sorted.copyWithin(leaving, leaving + 1, count);
      count--;
    }
    const entering = lowerBound(sorted, count, timeMs);
    sorted.copyWithin(entering + 1, entering, count);
    sorted[entering] = timeMs;
    ring[next] = timeMs;
    next = (next + 1) % REMEMBERED_TIMES;
    count++;
  };

  for (const timeMs of recentTimesMs.slice(-REMEMBERED_TIMES)) add(timeMs);
  return {
    add,
    median: () => (count === 0 ? null : (sorted[(count - 1) >> 1] ?? 0)),
    toArray: () =>
      count < REMEMBERED_TIMES ? [...ring.subarray(0, count)] : [...ring.subarray(next), ...ring.subarray(0, next)],
  };
}

/** The first index whose value is not below `value`. */
function lowerBound(sorted: Float64Array, count: number, value: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
