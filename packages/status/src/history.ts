/**
 * The course of a run in at most 240 points, for the sparklines. When it is full, every second point goes and the
 * spacing doubles: the whole run stays visible and the size stays the same, whatever its length. Pure.
 */
export interface HistoryPoint {
  readonly atMs: number;
  readonly ratePerSecond: number;
  readonly memoryMb: number | null;
  /** Messages ready, delayed and in flight. */
  readonly depth: number;
}

export interface History {
  readonly runId: string;
  readonly spacingMs: number;
  readonly points: readonly HistoryPoint[];
}

export const HISTORY_POINTS = 240;
const FIRST_SPACING_MS = 1_000;

export function emptyHistory(runId: string): History {
  return { runId, spacingMs: FIRST_SPACING_MS, points: [] };
}

/** Adds a point unless it comes sooner than the spacing; the same object then. */
export function addHistoryPoint(history: History, point: HistoryPoint): History {
  const last = history.points.at(-1);
  if (last !== undefined && point.atMs - last.atMs < history.spacingMs) return history;
  const points = [...history.points, point];
  if (points.length <= HISTORY_POINTS) return { ...history, points };
  // Halved from the end, so that the newest point is always among those kept.
  const halved = points.filter((_, index) => (points.length - 1 - index) % 2 === 0);
  return { ...history, spacingMs: history.spacingMs * 2, points: halved };
}
