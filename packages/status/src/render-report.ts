/**
 * The report of a run: one HTML document that can be kept, mailed or attached to a ticket. No script, no request; plots are
 * drawings in it. It says up to which moment the copy is complete, and how to continue from there. Pure.
 */
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { auditText } from "./audit-lines.ts";
import { askedText, hadText, missingBefore } from "./asked.ts";
import { headlineText, shareText } from "./headline.ts";
import { formatBytes, formatCount, formatDuration, formatRate, formatRateOrDash, formatTime, sumOf } from "./format.ts";
import type { History, HistoryMark } from "./history.ts";
import { html, type Markup, nothing, trusted } from "./html/markup.ts";
import { plot, type PlotOptions } from "./html/plot.ts";
import { niceDuration, type PlotPoint } from "./html/plot-scale.ts";
import { REPORT_STYLES } from "./html/report-styles.ts";
import type { Snapshot } from "./snapshot.ts";

/** `history` null, or of another run: no plots. */
export function renderReport(snapshot: Snapshot, history: History | null): string {
  const course = history !== null && history.runId === snapshot.runId ? history : null;
  const title = `Run ${snapshot.runId ?? "(none)"} on ${escapeForLog(snapshot.host ?? "no host")}`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${trusted(REPORT_STYLES)}
        </style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          <p class="quiet">
            As of ${formatTime(snapshot.at)} UTC${snapshot.stopped === true ? ", when its process was last there" : ""}
          </p>
        </header>
        <main>
          <section aria-label="Result">
            <p class="result">${resultOf(snapshot)}</p>
            <p>${trueUntil(snapshot)}</p>
          </section>
          ${[figures(snapshot), course === null ? noCourse() : plots(course), gaps(snapshot), resyncs(snapshot), audit(snapshot), settings(snapshot)]}
        </main>
      </body>
    </html> `.markup;
}

function resultOf(snapshot: Snapshot): string {
  const { status, progress, verdict } = snapshot;
  const part = status === "succeeded" || progress === null ? "" : `, ${shareText(snapshot)} of the way`;
  const advice = verdict.advice === null || verdict.level === "ok" ? "" : `. ${verdict.advice}`;
  return escapeForLog(`${headlineText(snapshot)}${part}${advice}`);
}

/** What a user of the tables must know: later changes, especially deletions, are not in them. */
function trueUntil({ status, cursor, dead, gaps: missing }: Snapshot): string {
  const at = status === "succeeded" ? (cursor.target ?? cursor.applied) : cursor.applied;
  if (at === null) return "Nothing has been applied yet.";
  const exceptions = [
    ...(dead > 0 ? [`${formatCount(dead)} events that could not be applied`] : []),
    ...(missing.length > 0 ? ["the gaps below"] : []),
  ];
  const except = exceptions.length === 0 ? "" : `, but for ${exceptions.join(" and ")}`;
  return `The copy is complete up to ${formatTime(at.time)} UTC (sequence number ${at.seq})${except}. Later changes are not in it: a record that was deleted later is still in the tables. To continue from there: firehose-backfill start --since-last`;
}

function figures(snapshot: Snapshot): Markup {
  const { received, processed, skipped, dead, averageRatePerSecond, allowedRatePerSecond, memory, cursor } = snapshot;
  const allowed = allowedRatePerSecond === null ? "no pacing" : `${formatRate(allowedRatePerSecond)} allowed`;
  const reasons = Object.entries(skipped).map(([reason, count]) => `${formatCount(count)} ${escapeForLog(reason)}`);
  const rows: readonly (readonly [string, string])[] = [
    ["Asked for", snapshot.asked === null ? "--" : askedText(snapshot.asked)],
    ["Had", hadText(snapshot)],
    ["From", positionText(cursor.start)],
    ["Applied up to", positionText(cursor.applied)],
    ["Received", formatCount(received)],
    ["Processed", formatCount(processed)],
    ["Skipped", `${formatCount(sumOf(skipped))}${reasons.length === 0 ? "" : ` (${reasons.join(", ")})`}`],
    ["Dead", formatCount(dead)],
    ["Time", `${formatDuration(snapshot.elapsedSeconds)}, pauses excluded`],
    ["Rate", `${formatRateOrDash(averageRatePerSecond)} events/s on average, ${allowed}`],
    [
      "Memory",
      `${memory.limitMb === null ? "no limit known" : `limit ${formatBytes(memory.limitMb * 1_048_576)}`}, ${formatCount(memory.pauses)} pauses`,
    ],
  ];
  return html`<section>
    <h2>Figures</h2>
    <table>
      ${rows.map(
        ([name, value]) =>
          html`<tr>
            <th scope="row">${name}</th>
            <td>${value}</td>
          </tr>`,
      )}
    </table>
  </section>`;
}

function positionText(position: Snapshot["cursor"]["start"]): string {
  return position === null ? "--" : `${formatTime(position.time)} UTC, ${position.seq}`;
}

function plots(history: History): Markup {
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

function noCourse(): Markup {
  return html`<section>
    <h2>The course of the run</h2>
    <p class="quiet">
      It is drawn from what the run's process, or each tick of a deployed run, has kept; there is none for this one.
    </p>
  </section>`;
}

function gaps(snapshot: Snapshot): Markup {
  const { gaps: missing } = snapshot;
  if (missing.length === 0) return nothing;
  return html`<section>
    <h2>Gaps: what the relay no longer had</h2>
    ${missingBefore(snapshot) === null ? nothing : html`<p>Less than was asked for: the relay keeps no more than this run began with.</p>`}
    <table>
      <tr>
        <th scope="col">From</th>
        <th scope="col">To</th>
        <th scope="col">Why</th>
      </tr>
      ${missing.map(
        ({ from, to, reason }) =>
          html`<tr>
            <td>${positionText(from)}</td>
            <td>${positionText(to)}</td>
            <td>${escapeForLog(reason)}</td>
          </tr>`,
      )}
    </table>
  </section>`;
}

function resyncs({ resyncs: { count, done, first } }: Snapshot): Markup {
  if (count === 0 && done === 0) return nothing;
  return html`<section>
    <h2>Repositories to be read anew: ${formatCount(count)}</h2>
    <p>
      ${formatCount(done)} were read anew until now. The program reads the others by itself, in a run called
      <code>resync</code>. <code>firehose-backfill resyncs</code> lists all of them.
    </p>
    <table>
      <tr>
        <th scope="col">Repository</th>
        <th scope="col">Why</th>
        <th scope="col">Since</th>
        <th scope="col">Read by</th>
      </tr>
      ${first.map(
        ({ did, reason, at, takenBy }) =>
          html`<tr>
            <td>${escapeForLog(did)}</td>
            <td>${escapeForLog(reason)}</td>
            <td>${formatTime(at)}</td>
            <td>${takenBy === null ? "" : escapeForLog(takenBy)}</td>
          </tr>`,
      )}
    </table>
  </section>`;
}

function audit({ audit: last }: Snapshot): Markup {
  if (last === null) return nothing;
  return html`<section>
    <h2>Last audit</h2>
    <p>${auditText(last)}</p>
    ${
      last.first.length === 0
        ? nothing
        : html`<table>
            <tr>
              <th scope="col">Repository</th>
              <th scope="col">Verdict</th>
              <th scope="col">Missing</th>
              <th scope="col">Extra</th>
              <th scope="col">Other CID</th>
            </tr>
            ${last.first.map(
              ({ did, verdict, missing, extra, other }) =>
                html`<tr>
                  <td>${escapeForLog(did)}</td>
                  <td>${escapeForLog(verdict)}</td>
                  <td>${formatCount(missing)}</td>
                  <td>${formatCount(extra)}</td>
                  <td>${formatCount(other)}</td>
                </tr>`,
            )}
          </table>`
    }
  </section>`;
}

function settings(snapshot: Snapshot): Markup {
  const rows = Object.entries(snapshot.settings).filter(([, { value }]) => value !== null);
  return html`<section>
    <h2>Settings</h2>
    <table>
      ${rows.map(
        ([name, { value, source }]) =>
          html`<tr>
            <th scope="row"><code>${name}</code></th>
            <td>${String(value)}</td>
            <td class="quiet">${source}</td>
          </tr>`,
      )}
    </table>
  </section>`;
}
