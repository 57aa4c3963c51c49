/**
 * Packs the times of the last frames of a run. The time of a frame may have any value. The packed form must be small, and it must
 * keep the median exactly, because the median is the event time. So each time is stored as a 32-bit distance from the median. A
 * time that is more than 24 days away from the median is moved to 24 days.
 */
import { REMEMBERED_TIMES } from "./event-time.ts";
import { BrokenStateError } from "./state-error.ts";

const MAX_DISTANCE_MS = 2 ** 31 - 1;
/** The latest moment that a Date can hold. */
const MAX_TIME_MS = 8.64e15;
const HEADER_BYTES = 8;

/** The times as they are read back: the last 101, in whole milliseconds, within 24 days of their (upper) median. */
export function boundRecentTimes(timesMs: readonly number[]): number[] {
  const times = timesMs
    .filter((time) => Number.isFinite(time))
    .slice(-REMEMBERED_TIMES)
    .map((time) => clamp(Math.round(time), -MAX_TIME_MS, MAX_TIME_MS));
  const median = upperMedian(times);
  return times.map((time) => clamp(time, median - MAX_DISTANCE_MS, median + MAX_DISTANCE_MS));
}

/** At most 412 bytes. null: there are no times. */
export function encodeRecentTimes(timesMs: readonly number[]): Uint8Array | null {
  const times = boundRecentTimes(timesMs);
  if (times.length === 0) return null;
  const base = upperMedian(times);
  const bytes = new Uint8Array(HEADER_BYTES + times.length * 4);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, base);
  for (const [index, time] of times.entries()) view.setInt32(HEADER_BYTES + index * 4, time - base);
  return bytes;
}

/** @throws BrokenStateError if encodeRecentTimes() did not make these bytes */
export function decodeRecentTimes(bytes: Uint8Array | null): number[] {
  if (bytes === null) return [];
  const count = (bytes.byteLength - HEADER_BYTES) / 4;
  if (!Number.isInteger(count) || count < 1)
    throw new BrokenStateError(`recent times cannot be ${bytes.byteLength} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const base = view.getFloat64(0);
  return Array.from({ length: count }, (_, index) => base + view.getInt32(HEADER_BYTES + index * 4));
}

function upperMedian(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;
}

function clamp(value: number, least: number, most: number): number {
  // `+ 0` turns -0 into 0, because -0 would be read back as 0.
  return Math.min(most, Math.max(least, value)) + 0;
}
