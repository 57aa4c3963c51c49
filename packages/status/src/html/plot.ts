/** Draws a figure over the time of a run, with axes: a line, a reference line, and marks where something happened. */
import { html, trusted, type Markup } from "./markup.ts";

export interface PlotPoint {
  readonly atMs: number;
  /** null: not known at that point; the line has a gap. */
  readonly value: number | null;
  /** A reference line, such as the allowed rate. */
  readonly reference?: number | null;
}

export interface PlotMark {
  readonly atMs: number;
  /** The label above its line; the list below the plots explains it. */
  readonly label: string;
}

export interface PlotOptions {
  readonly points: readonly PlotPoint[];
  readonly marks: readonly PlotMark[];
  /** A description for people who cannot see the plot. */
  readonly label: string;
  readonly format: (value: number) => string;
  readonly formatTime: (atMs: number) => string;
  /** The top of the scale, which shows four even steps. Absent: a short number. */
  readonly topOf?: (highest: number) => number;
}

const WIDTH = 880;
const HEIGHT = 190;
const LEFT = 84;
const RIGHT = 12;
const TOP = 22;
const BOTTOM = 24;
const ROWS = 4;
const COLUMNS = 5;
/** If no point came for this many usual spacings, no process was running, and the line has a gap. */
const HOLE_SPACINGS = 4;

export function plot({ points, marks, label, format, formatTime, topOf = niceTop }: PlotOptions): Markup {
  const fromMs = points[0]?.atMs ?? 0;
  // The run may end before the next point was due.
  const toMs = Math.max(points.at(-1)?.atMs ?? 0, ...marks.map(({ atMs }) => atMs));
  if (points.length < 2 || toMs <= fromMs) return html`<p class="quiet">Too short a run for a plot.</p>`;
  const values = points.flatMap(({ value, reference }) => [value, reference ?? null].filter((known) => known !== null));
  const top = topOf(Math.max(0, ...values));
  const x = (atMs: number) => round(LEFT + ((atMs - fromMs) / (toMs - fromMs)) * (WIDTH - LEFT - RIGHT));
  const y = (value: number) => round(HEIGHT - BOTTOM - (Math.max(0, value) / top) * (HEIGHT - TOP - BOTTOM));
  const rows = Array.from({ length: ROWS + 1 }, (_, row) => (top * row) / ROWS);
  const columns = Array.from({ length: COLUMNS }, (_, column) => fromMs + ((toMs - fromMs) * column) / (COLUMNS - 1));
  const anchor = (column: number) => (column === 0 ? "start" : column === COLUMNS - 1 ? "end" : "middle");
  return html`<svg role="img" aria-label="${label}" viewBox="0 0 ${WIDTH} ${HEIGHT}">
    ${rows.map(
      (value) =>
        html`<path class="grid" d="M${LEFT} ${y(value)}H${WIDTH - RIGHT}" /><text
            x="${LEFT - 8}"
            y="${y(value) + 4}"
            text-anchor="end"
            >${format(value)}</text
          >`,
    )}
    ${columns.map(
      (atMs, column) =>
        html`<text x="${x(atMs)}" y="${HEIGHT - 6}" text-anchor="${anchor(column)}">${formatTime(atMs)}</text>`,
    )}
    ${marks
      .filter(({ atMs }) => atMs >= fromMs)
      .map(
        (mark) =>
          html`<path class="mark" d="M${x(mark.atMs)} ${TOP}V${HEIGHT - BOTTOM}" /><text
              class="mark-label"
              x="${x(mark.atMs)}"
              y="${TOP - 8}"
              text-anchor="middle"
              >${mark.label}</text
            >`,
      )}
    ${trusted(`<path class="reference" d="${lineOf(points, ({ reference }) => reference ?? null, x, y)}"/>`)}
    ${trusted(`<path class="line" d="${lineOf(points, ({ value }) => value, x, y)}"/>`)}
  </svg>`;
}

function lineOf(
  points: readonly PlotPoint[],
  valueOf: (point: PlotPoint) => number | null,
  x: (atMs: number) => number,
  y: (value: number) => number,
): string {
  const hole = HOLE_SPACINGS * spacingOf(points);
  let path = "";
  let lastMs: number | null = null;
  for (const point of points) {
    const value = valueOf(point);
    if (value === null) lastMs = null;
    else {
      path += `${lastMs === null || point.atMs - lastMs > hole ? "M" : "L"}${x(point.atMs)} ${y(value)}`;
      lastMs = point.atMs;
    }
  }
  return path;
}

/** The usual distance of two points: the median. */
function spacingOf(points: readonly PlotPoint[]): number {
  const gaps = points.slice(1).map(({ atMs }, index) => atMs - (points[index]?.atMs ?? atMs));
  return gaps.toSorted((left, right) => left - right)[gaps.length >> 1] ?? 0;
}

/** The next of 1, 2, 4, 5, 8 times a power of ten, so that four even steps of it are short numbers. */
function niceTop(highest: number): number {
  if (highest <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(highest));
  return ([1, 2, 4, 5, 8, 10].find((step) => step * power >= highest * 1.02) ?? 20) * power;
}

/** For seconds, so that four even steps of it are whole minutes, hours or days. */
export function niceDuration(highest: number): number {
  const minute = [4, 8, 20, 40, 60, 120, 240, 480, 720, 1_440, 2_880].find((top) => top * 60 >= highest * 1.02);
  return minute === undefined ? Math.ceil((highest * 1.02) / FOUR_DAYS) * FOUR_DAYS : minute * 60;
}

const FOUR_DAYS = 4 * 86_400;

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
