/** Parses `--from` and `--to`: a sequence number, a time, `oldest`, `live`. */
import { parseDatetimeText } from "@firehose-backfill/core/datetime";
import { UsageError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import type { EndPoint, StartPoint } from "@firehose-backfill/source/points";

const SEQ = /^\d{1,16}$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
/** The operator must name the time zone: somebody who means local time would not notice that it is read as UTC. */
const ZONE = /(?:[Zz]|[+-]\d\d(?::?\d\d)?)$/;

export function parseStartPoint(from: string): StartPoint {
  if (from === "oldest" || from === "live") return { kind: from };
  const seq = parseSeq(from);
  if (seq !== null) return { kind: "seq", seq };
  const timeMs = parseTime(from);
  if (timeMs !== null) return { kind: "time", timeMs };
  throw new UsageError(
    `from is ${shown(from)}; it takes a sequence number, a time like 2026-01-31T08:00:00Z, oldest or live`,
  );
}

export function parseEndPoint(to: string): EndPoint {
  const seq = parseSeq(to);
  if (seq !== null) return { kind: "seq", seq };
  const timeMs = parseTime(to);
  if (timeMs !== null) return { kind: "time", timeMs };
  throw new UsageError(`to is ${shown(to)}; it takes a sequence number or a time like 2026-01-31T08:00:00Z`);
}

function parseSeq(value: string): number | null {
  if (!SEQ.test(value)) return null;
  const seq = Number(value);
  return Number.isSafeInteger(seq) ? seq : null;
}

function parseTime(value: string): number | null {
  const isDate = DATE.test(value);
  if (!isDate && !ZONE.test(value)) return null;
  // A date without a time is midnight UTC.
  const timeMs = parseDatetimeText(isDate ? `${value}T00:00:00Z` : value);
  return Number.isNaN(timeMs) ? null : timeMs;
}

function shown(value: string): string {
  return `"${escapeForLog(value, 80)}"`;
}
