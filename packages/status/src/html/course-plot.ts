/**
 * A small plot of a figure over time for the page, with axes and units: the line, a reference such as the allowed rate, and the numbered
 * marks. The drawing is as wide as its panel; its texts are not stretched, because they lie beside the scaled part.
 */
import type { Course } from "../course.ts";
import { formatTime } from "../format.ts";
import type { HistoryPoint } from "../history.ts";
import { html, trusted, type Markup } from "./markup.ts";
import { extentOf, labelMarks, lineOf, niceTop, type PlotPoint } from "./plot-scale.ts";

export interface CoursePlotOptions {
  readonly course: Course;
  readonly valueOf: (point: HistoryPoint) => number | null;
  /** A line at a height of its own at each point, or the same everywhere. */
  readonly reference?: { readonly name: string; readonly of: (point: HistoryPoint) => number | null };
  /** `events/s`, `MB` */
  readonly unit: string;
  /** A description for people who cannot see the plot. */
  readonly label: string;
  readonly format: (value: number) => string;
}

/** The scaled part, in units that are stretched to the panel. */
const WIDTH = 480;
const HEIGHT = 100;
/** One character of a mark's label in the narrowest panel, as a share of its width. */
const CHARACTER = 0.036;

export function coursePlot({ course, valueOf, reference, unit, label, format }: CoursePlotOptions): Markup {
  const points: readonly PlotPoint[] = course.points.map((point) => ({
    atMs: point.atMs,
    value: valueOf(point),
    reference: reference?.of(point) ?? null,
  }));
  const [fromMs, toMs] = [points[0]?.atMs ?? 0, points.at(-1)?.atMs ?? 0];
  const known = points.flatMap(({ value }) => (value === null ? [] : [value]));
  if (known.length < 2 || toMs <= fromMs) {
    return html`<p class="plot plot-empty">
      ${course.range === "all" ? "The course of the run appears here." : "There is too little in this range to draw."}
    </p>`;
  }
  const references = points.flatMap((point) => point.reference ?? []);
  const top = niceTop(Math.max(0, ...known, ...references));
  const share = (atMs: number) => (Math.min(toMs, Math.max(fromMs, atMs)) - fromMs) / (toMs - fromMs);
  const x = (atMs: number) => Math.round(share(atMs) * WIDTH);
  const y = (value: number) => Math.round(HEIGHT - (Math.max(0, value) / top) * HEIGHT);
  const lines = [
    `<path class="plot-grid" d="M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}"/>`,
    ...course.marks.map(({ atMs }) => `<path class="plot-mark" d="M${x(atMs)} 0V${HEIGHT}"/>`),
    reference === undefined
      ? ""
      : `<path class="plot-reference" d="${lineOf(points, (point) => point.reference ?? null, x, y)}"/>`,
    `<path class="plot-line" d="${lineOf(points, ({ value }) => value, x, y)}"/>`,
  ];
  const times = timesOf(fromMs, toMs);
  const [last, highest] = [known.at(-1) ?? 0, Math.max(...known)];
  const spoken = `${label}; from ${times[0]} to ${times.at(-1)} UTC: highest ${format(highest)}, last ${format(last)}`;
  const labels = labelMarks(
    course.marks.map(({ atMs, number }) => ({ atMs, label: String(number) })),
    { xOf: share, characterWidth: CHARACTER },
  ).map((group) => {
    const [from, to] = extentOf(group, CHARACTER);
    return `<text x="${(50 * (from + to)).toFixed(1)}%" y="10" text-anchor="middle">${group.label}</text>`;
  });
  return html`<figure class="plot">
    <figcaption>
      ${unit}${reference === undefined ? null : html`<span class="plot-key">${reference.name}</span>`}
    </figcaption>
    <p class="plot-y"><span>${format(top)}</span><span>${format(top / 2)}</span><span>0</span></p>
    <div class="plot-area">
      <svg class="plot-labels" aria-hidden="true" width="100%" height="12">${trusted(labels.join(""))}</svg>
      <svg role="img" aria-label="${spoken}" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none">
        ${trusted(lines.join(""))}
      </svg>
    </div>
    <p class="plot-x">${times.map((text) => html`<span>${text}</span>`)}</p>
  </figure>`;
}

/** Beginning, middle and end, as short as they can be told apart; UTC. */
function timesOf(fromMs: number, toMs: number): readonly string[] {
  const span = toMs - fromMs;
  const [from, to] = span > 36 * 3_600_000 ? [5, 10] : span > 300_000 ? [11, 16] : [11, 19];
  return [fromMs, (fromMs + toMs) / 2, toMs].map((atMs) => formatTime(new Date(atMs).toISOString()).slice(from, to));
}
