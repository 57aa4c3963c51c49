/**
 * The history of a run in at most 240 points, for plots, with marks for what happened to it. When it is full, every second point is
 * removed and the spacing doubles: the whole run stays visible, and the size does not depend on its length. The last hour and the last day
 * are kept as well, in finer steps. course.ts chooses what is drawn. Pure.
 */
import type { Snapshot } from "./snapshot.ts";

export interface HistoryPoint {
  readonly atMs: number;
  /** null: not known. */
  readonly ratePerSecond: number | null;
  /** null: no pacing, or not known. */
  readonly allowedRatePerSecond: number | null;
  readonly memoryMb: number | null;
  readonly lagSeconds: number | null;
  /** Messages ready, delayed and in flight. */
  readonly depth: number;
}

/** Something that happened to the run, and when it was seen. */
export interface HistoryMark {
  readonly atMs: number;
  readonly kind: "state" | "tune" | "memory" | "back-off" | "gap";
  /** For a person. */
  readonly text: string;
}

export interface History {
  readonly runId: string;
  readonly spacingMs: number;
  /** Of the whole run. */
  readonly points: readonly HistoryPoint[];
  /** Of the last hour, and of the last day. */
  readonly hour: readonly HistoryPoint[];
  readonly day: readonly HistoryPoint[];
  readonly marks: readonly HistoryMark[];
  /** The previous snapshot's values, to detect what is new in the next one. null: there was none. */
  readonly seen: Seen | null;
}

interface Seen {
  readonly status: Snapshot["status"];
  /** ISO 8601; null: none yet. */
  readonly lastTuneAt: string | null;
  readonly memoryPauses: number;
  readonly backOff: number;
  readonly gaps: number;
}

export const HISTORY_POINTS = 240;
export const HISTORY_MARKS = 100;
const FIRST_SPACING_MS = 1_000;
const HOUR = { spanMs: 3_600_000, spacingMs: 30_000 };
const DAY = { spanMs: 24 * HOUR.spanMs, spacingMs: 720_000 };

export function emptyHistory(runId: string): History {
  return { runId, spacingMs: FIRST_SPACING_MS, points: [], hour: [], day: [], marks: [], seen: null };
}

/** Continues with the snapshot's run, or begins again with another one. A run that is over adds no more points. */
export function addSnapshot(history: History, snapshot: Snapshot): History {
  const { runId } = snapshot;
  if (runId === null) return history;
  const before = history.runId === runId ? history : emptyHistory(runId);
  const { seen } = before;
  if (seen !== null && isOver(seen.status) && seen.status === snapshot.status) return before;
  const atMs = Date.parse(snapshot.at);
  const { ready, inFlight, delayed } = snapshot.queue;
  const marked = { ...before, marks: addMarks(before, snapshot, atMs), seen: seenIn(snapshot) };
  return addHistoryPoint(marked, {
    atMs,
    ratePerSecond: snapshot.ratePerSecond,
    allowedRatePerSecond: snapshot.allowedRatePerSecond,
    memoryMb: snapshot.memory.usedMb,
    lagSeconds: snapshot.lagSeconds,
    depth: ready + inFlight + delayed,
  });
}

/** Adds a point wherever it does not come sooner than the spacing; if that is nowhere, it returns the same object. */
export function addHistoryPoint(history: History, point: HistoryPoint): History {
  const whole = addToWhole(history, point);
  const hour = addRecent(history.hour, point, HOUR);
  const day = addRecent(history.day, point, DAY);
  const isSame = whole.points === history.points && hour === history.hour && day === history.day;
  return isSame ? history : { ...history, points: whole.points, spacingMs: whole.spacingMs, hour, day };
}

function isSooner(points: readonly HistoryPoint[], point: HistoryPoint, spacingMs: number): boolean {
  const last = points.at(-1);
  return last !== undefined && point.atMs - last.atMs < spacingMs;
}

function addRecent(
  points: readonly HistoryPoint[],
  point: HistoryPoint,
  { spanMs, spacingMs }: typeof HOUR,
): readonly HistoryPoint[] {
  if (isSooner(points, point, spacingMs)) return points;
  return [...points.filter(({ atMs }) => atMs >= point.atMs - spanMs), point];
}

function addToWhole(history: History, point: HistoryPoint): Pick<History, "points" | "spacingMs"> {
  if (isSooner(history.points, point, history.spacingMs)) return history;
  const points = [...history.points, point];
  if (points.length <= HISTORY_POINTS) return { points, spacingMs: history.spacingMs };
  // Thinned from the end, so that the newest point is always kept.
  const halved = points.filter((_, index) => (points.length - 1 - index) % 2 === 0);
  return { spacingMs: Math.max(history.spacingMs, usualSpacingMs(points)) * 2, points: halved };
}

/**
 * The median distance of two points. Ticks that are a minute apart are wider than the first spacings. If only those were doubled,
 * each halving would thin the old points again while new ones came as often as before, and the beginning would be lost.
 */
function usualSpacingMs(points: readonly HistoryPoint[]): number {
  const distances = points.slice(1).map(({ atMs }, index) => atMs - (points[index]?.atMs ?? atMs));
  return distances.toSorted((a, b) => a - b)[distances.length >> 1] ?? 0;
}

function isOver(status: Snapshot["status"]): boolean {
  return status === "succeeded" || status === "cancelled";
}

function seenIn(snapshot: Snapshot): Seen {
  const { status, tunes, memory, gaps } = snapshot;
  const lastTuneAt = tunes.at(-1)?.at ?? null;
  return { status, lastTuneAt, memoryPauses: memory.pauses, backOff: memory.backOff, gaps: gaps.length };
}

function addMarks({ marks, seen }: History, snapshot: Snapshot, atMs: number): readonly HistoryMark[] {
  const found: HistoryMark[] = [];
  const { status, reason, memory, gaps, tunes } = snapshot;
  if (status !== seen?.status)
    found.push({ atMs, kind: "state", text: reason === null ? status : `${status}: ${reason}` });
  for (const { at, by, changes } of tunes) {
    if (seen?.lastTuneAt !== null && seen !== null && at <= seen.lastTuneAt) continue;
    const said = Object.entries(changes).map(([key, { from, to }]) => `${key} ${String(from)} → ${String(to)}`);
    found.push({ atMs: Date.parse(at), kind: "tune", text: `${by}: ${said.join(", ")}` });
  }
  if (seen !== null && memory.pauses > seen.memoryPauses)
    found.push({ atMs, kind: "memory", text: `paused for memory at ${memory.usedMb ?? "?"} MB` });
  if (seen !== null && memory.backOff !== seen.backOff)
    found.push({ atMs, kind: "back-off", text: `back-off ${seen.backOff} → ${memory.backOff}` });
  for (const { from, to, reason: why } of gaps.slice(seen?.gaps ?? 0))
    found.push({ atMs, kind: "gap", text: `gap from ${from.time} to ${to.time}: ${why}` });
  return found.length === 0 ? marks : [...marks, ...found].slice(-HISTORY_MARKS);
}

/** A stored history; null: it is something else, or of an older version that stored less. */
export function parseHistory(value: unknown): History | null {
  if (typeof value !== "object" || value === null) return null;
  const isOne =
    "runId" in value &&
    typeof value.runId === "string" &&
    "spacingMs" in value &&
    typeof value.spacingMs === "number" &&
    "points" in value &&
    Array.isArray(value.points) &&
    value.points.every(isPoint) &&
    "marks" in value &&
    Array.isArray(value.marks) &&
    value.marks.every(isMark) &&
    "seen" in value;
  if (!isOne) return null;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each field that is drawn was checked above
  const history = value as unknown as History;
  return { ...history, hour: recentOf(value, "hour"), day: recentOf(value, "day") };
}

/** An older version did not keep them. */
function recentOf(value: object, key: "hour" | "day"): readonly HistoryPoint[] {
  const points: unknown = Reflect.get(value, key);
  return Array.isArray(points) && points.every(isPoint) ? points : [];
}

function isPoint(value: unknown): value is HistoryPoint {
  if (typeof value !== "object" || value === null) return false;
  const numbers = ["atMs", "depth"].every((key) => typeof Reflect.get(value, key) === "number");
  return numbers && ["ratePerSecond", "allowedRatePerSecond", "memoryMb", "lagSeconds"].every((key) => key in value);
}

function isMark(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return typeof Reflect.get(value, "atMs") === "number" && typeof Reflect.get(value, "text") === "string";
}
