/**
 * Parses times from frames, operators and settings to milliseconds, with the same rules everywhere. It reads RFC 3339, and other
 * forms that occur in the network: a lower-case `t` or `z`, no zone (read as UTC), a zone without its colon or its
 * minutes. The common form is read without creating a string.
 */

const DATETIME =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,20}))?)?(?:[Zz]|([+-])(\d{2})(?::?(\d{2}))?)?$/;
const ZERO = 0x30;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const MOST_CHARS = 64;

/** Milliseconds since the epoch of the time between two offsets; NaN if it is not a time or the date does not exist. */
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
      year >= 1000 && month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour < 24 && minute < 60 && second < 60;
    // If any of them is negative, so is the result of the OR.
    if (isPlain && (hour | minute | second | milli) >= 0) {
      return knownMidnightMs(year, month, day) + hour * 3_600_000 + minute * MINUTE_MS + second * 1_000 + milli;
    }
  }
  if (end - start > MOST_CHARS) return Number.NaN;
  return parseDatetimeText(bytes.toString("latin1", start, end));
}

/** The same for a text. */
export function parseDatetimeText(text: string): number {
  const parts = text.length > MOST_CHARS ? null : DATETIME.exec(text);
  if (parts === null) return Number.NaN;
  const [, year, month, day, hour, minute, second = "0", fraction = "", sign, zoneHour = "0", zoneMinute = "0"] = parts;
  const midnight = midnightMs(Number(year), Number(month), Number(day));
  const [hours, minutes, seconds] = [Number(hour), Number(minute), Number(second)];
  const zoneMs = (Number(zoneHour) * 60 + Number(zoneMinute)) * MINUTE_MS * (sign === "-" ? -1 : 1);
  if (hours > 24 || minutes > 59 || seconds > 60 || Number(zoneHour) > 23 || Number(zoneMinute) > 59) return Number.NaN;
  const millis = Math.floor(Number(`0.${fraction || "0"}`) * 1_000);
  // 24:00 is allowed only as the exact end of a day.
  if (hours === 24 && (minutes > 0 || seconds > 0 || millis > 0)) return Number.NaN;
  const timeMs = midnight + hours * 3_600_000 + minutes * MINUTE_MS + seconds * 1_000 + millis - zoneMs;
  // A leap second is at the end of a UTC day. It is read as the second after it.
  if (seconds === 60 && timeMs - millis !== Math.floor(timeMs / DAY_MS) * DAY_MS) return Number.NaN;
  return timeMs;
}

/** NaN: the month does not have that day, or the year does not have that month. */
function midnightMs(year: number, month: number, day: number): number {
  const date = new Date(0);
  // Date.UTC reads years below 100 as years of the last century.
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : Number.NaN;
}

/** Caches the last day: a stream has hours of events from the same day. */
const known = { day: -1, midnightMs: 0 };

function knownMidnightMs(year: number, month: number, day: number): number {
  const key = year * 10_000 + month * 100 + day;
  if (known.day !== key) {
    known.day = key;
    known.midnightMs = midnightMs(year, month, day);
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
