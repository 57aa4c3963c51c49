/** Draws a figure over the time of a run, with axes: a line, a reference line, and marks where something happened. */
import { html, trusted, type Markup } from "./markup.ts";
import { extentOf, labelMarks, lineOf, niceTop, type PlotMark, type PlotPoint } from "./plot-scale.ts";

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
/** Of the labels' font, with some room. */
const CHARACTER = 7;

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
  const inner = WIDTH - LEFT - RIGHT;
  const shown = marks.filter(({ atMs }) => atMs >= fromMs);
  const labels = labelMarks(shown, {
    xOf: (atMs) => (atMs - fromMs) / (toMs - fromMs),
    characterWidth: CHARACTER / inner,
  });
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
    ${shown.map(({ atMs }) => html`<path class="mark" d="M${x(atMs)} ${TOP}V${HEIGHT - BOTTOM}" />`)}
    ${labels.map((group) => {
      const [from, to] = extentOf(group, CHARACTER / inner);
      return html`<text
        class="mark-label"
        x="${round(LEFT + ((from + to) / 2) * inner)}"
        y="${TOP - 8}"
        text-anchor="middle"
        >${group.label}</text
      >`;
    })}
    ${trusted(`<path class="reference" d="${lineOf(points, ({ reference }) => reference ?? null, x, y)}"/>`)}
    ${trusted(`<path class="line" d="${lineOf(points, ({ value }) => value, x, y)}"/>`)}
  </svg>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
