/** Frame times, from bytes to milliseconds. The common form is read without making a string. */

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,20})?(?:Z|[+-]\d{2}:\d{2})$/;
const ZERO = 0x30;

/** Milliseconds since the epoch of an RFC 3339 time between two offsets; NaN if it is none. */
export function parseDatetime(bytes: Buffer, start: number, end: number): number {
  // 2025-02-06T01:05:06.528Z
  if (
    end - start === 24 &&
    bytes[start + 4] === 0x2d &&
    bytes[start + 7] === 0x2d &&
    bytes[start + 10] === 0x54 &&
    bytes[start + 13] === 0x3a &&
    bytes[start + 16] === 0x3a &&
    bytes[start + 19] === 0x2e &&
    bytes[start + 23] === 0x5a
  ) {
    const year = digits(bytes, start, 4);
    const month = digits(bytes, start + 5, 2);
    const day = digits(bytes, start + 8, 2);
    const hour = digits(bytes, start + 11, 2);
    const minute = digits(bytes, start + 14, 2);
    const second = digits(bytes, start + 17, 2);
    const milli = digits(bytes, start + 20, 3);
    const isPlain =
      year >= 1000 && month >= 1 && month <= 12 && day >= 1 && day <= 28 && hour < 24 && minute < 60 && second < 60;
    // A negative one shows in the sign of all.
    if (isPlain && (hour | minute | second | milli) >= 0) {
      return midnightMs(year, month, day) + hour * 3_600_000 + minute * 60_000 + second * 1_000 + milli;
    }
  }
  if (end - start > 64) return Number.NaN;
  const text = bytes.toString("latin1", start, end);
  return RFC3339.test(text) ? Date.parse(text) : Number.NaN;
}

/** The last day asked for: a stream tells hours of each. */
const known = { day: -1, midnightMs: 0 };

function midnightMs(year: number, month: number, day: number): number {
  const key = year * 10_000 + month * 100 + day;
  if (known.day !== key) {
    known.day = key;
    known.midnightMs = Date.UTC(year, month - 1, day);
  }
  return known.midnightMs;
}

/** -1 if one of them is not a digit. */
function digits(bytes: Buffer, start: number, count: number): number {
  let value = 0;
  for (let at = start; at < start + count; at++) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
