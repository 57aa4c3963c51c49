/**
 * The report of a run: one HTML document that can be kept, mailed or attached to a ticket. No script, no request; plots are
 * drawings in it. It says up to which moment the copy is complete, and how to continue from there. Pure.
 */
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { askedText, hadText } from "./asked.ts";
import { headlineText, shareText } from "./headline.ts";
import { formatBytes, formatCount, formatDuration, formatRate, formatRateOrDash, formatTime, sumOf } from "./format.ts";
import type { History } from "./history.ts";
import { html, type Markup, trusted } from "./html/markup.ts";
import { REPORT_STYLES } from "./html/report-styles.ts";
import { noCourse, plots } from "./report-course.ts";
import { audit, gaps, namedValues, positionText, repositories, resyncs } from "./report-tables.ts";
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
          ${[figures(snapshot), course === null ? noCourse() : plots(course), repositories(snapshot), gaps(snapshot), resyncs(snapshot), audit(snapshot), settings(snapshot)]}
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
function trueUntil({ status, cursor, dead, gaps: missing, repos, processed }: Snapshot): string {
  if (repos !== null)
    return "Each row is as its repository was when it was read, at the revision that the row names. Changes since then are in the tables only if a run over the firehose brings them.";
  const at = status === "succeeded" ? (cursor.target ?? cursor.applied) : cursor.applied;
  if (at === null)
    return processed === 0
      ? "Nothing has been applied yet."
      : "Some events have been applied, but not all of the first window, so the moment is not known yet.";
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
  return namedValues("Figures", rows);
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
