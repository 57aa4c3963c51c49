/**
 * Handles event times that are far in the future. A marker keeps its sequence number and loses its time; a record gets the time
 * of its revision. A value that is not a time stays, and the database refuses it.
 */
import { isTooFarAhead } from "@firehose-backfill/core/believed-time";
import { tidTimeMs } from "@firehose-backfill/core/tid";
import type { DataRow } from "./request.ts";

const LAST_DATE_MS = 8.64e15;

export function believe(row: DataRow, nowMs: number): DataRow {
  if (!isTooFarAhead(row.timeMs, nowMs)) return row;
  if (row.kind === "range") return { ...row, timeMs: Math.trunc(nowMs) };
  if (row.kind !== "record") return { ...row, timeMs: Number.NaN };
  if (row.timeMs > LAST_DATE_MS) return row;
  const revMs = tidTimeMs(row.rev);
  return { ...row, timeMs: Math.trunc(revMs === null || isTooFarAhead(revMs, nowMs) ? nowMs : revMs) };
}
