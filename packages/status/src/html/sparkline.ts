/** A small drawing of a figure over the time of a run, without axes: it shows the shape, and the figures are beside it. */
import { html, trusted, type Markup } from "./markup.ts";

const WIDTH = 240;
const HEIGHT = 36;

export interface SparklineOptions {
  /** null: not known at that point. */
  readonly values: readonly (number | null)[];
  /** A description for people who cannot see the drawing. */
  readonly label: string;
  /** A reference line: the allowed rate, the memory limit. */
  readonly reference?: number | null;
}

export function sparkline({ values, label, reference = null }: SparklineOptions): Markup {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return html`<p class="spark-empty">The course of the run appears here.</p>`;
  const top = Math.max(...known, reference ?? 0) * 1.08 || 1;
  const x = (index: number): number => Math.round((index / (values.length - 1)) * WIDTH * 10) / 10;
  const y = (value: number): number => Math.round((HEIGHT - (Math.max(0, value) / top) * HEIGHT) * 10) / 10;
  const line = values.flatMap((value, index) => (value === null ? [] : [`${x(index)} ${y(value)}`])).join("L");
  const firstX = x(values.findIndex((value) => value !== null));
  const lastX = x(values.findLastIndex((value) => value !== null));
  const ruler = reference === null ? "" : `<path class="spark-ref" d="M0 ${y(reference)}H${WIDTH}"/>`;
  return html`<svg
    class="spark"
    role="img"
    aria-label="${label}"
    viewBox="0 0 ${WIDTH} ${HEIGHT}"
    preserveAspectRatio="none"
  >
    ${trusted(
      `<path class="spark-area" d="M${firstX} ${HEIGHT}L${line}L${lastX} ${HEIGHT}Z"/>${ruler}<path class="spark-line" d="M${line}"/>`,
    )}
  </svg>`;
}
