/** The part of a run's history that is drawn: its last hour, its last day, or all of it. Pure. */
import type { History, HistoryMark, HistoryPoint } from "./history.ts";

export const RANGES = ["hour", "day", "all"] as const;
export type Range = (typeof RANGES)[number];

/** A mark with its number, which is the same in every range. */
export interface CourseMark extends HistoryMark {
  readonly number: number;
}

export interface Course {
  readonly range: Range;
  readonly points: readonly HistoryPoint[];
  readonly marks: readonly CourseMark[];
}

export const EMPTY_COURSE: Course = { range: "all", points: [], marks: [] };

const HOUR_MS = 3_600_000;
const SPANS: Readonly<Record<Exclude<Range, "all">, number>> = { hour: HOUR_MS, day: 24 * HOUR_MS };

/** Unknown text means all. */
export function rangeOf(text: string | null): Range {
  return RANGES.find((range) => range === text) ?? "all";
}

export function courseOf(history: History, range: Range, nowMs: number): Course {
  const marks = history.marks.map((mark, index) => ({ ...mark, number: index + 1 }));
  if (range === "all") return { range, points: history.points, marks };
  const fromMs = nowMs - SPANS[range];
  const since = <T extends { readonly atMs: number }>(list: readonly T[]) => list.filter(({ atMs }) => atMs >= fromMs);
  // While the run is short, the points of the whole run are the finer ones.
  const [recent, whole] = [since(history[range]), since(history.points)];
  return { range, points: recent.length > whole.length ? recent : whole, marks: since(marks) };
}
