/** The course of a run in its report: plots, and what happened when. Pure. */
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { formatCount, formatDuration, formatRate, formatTime } from "./format.ts";
import type { History, HistoryMark } from "./history.ts";
import { html, type Markup, nothing } from "./html/markup.ts";
import { plot, type PlotOptions } from "./html/plot.ts";
import { niceDuration, type PlotPoint } from "./html/plot-scale.ts";

export function plots(history: History): Markup {
  const { points, marks } = history;
  const isLong = (points.at(-1)?.atMs ?? 0) - (points[0]?.atMs ?? 0) > 2 * 86_400_000;
  const time = (atMs: number) => formatTime(new Date(atMs).toISOString()).slice(isLong ? 5 : 11, isLong ? 16 : 19);
  const numbered = marks.map(({ atMs }, index) => ({ atMs, label: String(index + 1) }));
  const draw = (
    title: string,
    label: string,
    course: readonly PlotPoint[],
    scale: Pick<PlotOptions, "format" | "topOf">,
  ) =>
    html`<h3>${title}</h3>
      ${plot({ points: course, marks: numbered, label, formatTime: time, ...scale })}`;
  const course = (valueOf: (point: (typeof points)[number]) => number | null): PlotPoint[] =>
    points.map((point) => ({ atMs: point.atMs, value: valueOf(point) }));
  return html`<section>
      <h2>The course of the run</h2>
      ${[
        draw(
          "Rate, events/s; dashed: allowed",
          "Rate over the run against the allowed rate",
          points.map((point) => ({
            atMs: point.atMs,
            value: point.ratePerSecond,
            reference: point.allowedRatePerSecond,
          })),
          { format: formatRate },
        ),
        draw(
          "Memory, MB",
          "Memory over the run",
          course((point) => point.memoryMb),
          { format: formatCount },
        ),
        draw(
          "Lag behind the network",
          "Lag over the run",
          course((point) => point.lagSeconds),
          { format: formatDuration, topOf: niceDuration },
        ),
        draw(
          "Batches in the queue",
          "Queue depth over the run",
          course((point) => point.depth),
          { format: formatCount },
        ),
      ]}
    </section>
    ${marks.length === 0 ? nothing : turns(marks)}`;
}

function turns(marks: readonly HistoryMark[]): Markup {
  return html`<section>
    <h2>What happened</h2>
    <ol>
      ${marks.map(
        ({ atMs, kind, text }) =>
          html`<li class="${kind}"><time>${formatTime(new Date(atMs).toISOString())}</time> ${escapeForLog(text)}</li>`,
      )}
    </ol>
  </section>`;
}

export function noCourse(): Markup {
  return html`<section>
    <h2>The course of the run</h2>
    <p class="quiet">
      It is drawn from what the run's process, or each tick of a deployed run, has kept; there is none for this one.
    </p>
  </section>`;
}
