/** The detailed tables: positions, the reader's ticks, gaps, errors, settings and who changed them. */
import { escapeForLog } from "@firehose-backfill/core/log-lines";

import { askedText, hadText, missingBefore } from "../asked.ts";
import { auditText } from "../audit-lines.ts";
import { formatDue, formatDuration, formatRelative, formatTime, secondsBetween } from "../format.ts";
import { errorText } from "../group-errors.ts";
import { resyncsText } from "../resyncs-text.ts";
import type { Course } from "../course.ts";
import type { Snapshot, SnapshotPosition } from "../snapshot.ts";
import { html, nothing, type Markup } from "./markup.ts";
import { pair, panel } from "./panels.ts";

export function positionPanel(snapshot: Snapshot): Markup {
  const { asked, cursor, goal, at, lastTick, nextTickAt, retentionSeconds } = snapshot;
  const rows = [
    positionRow("Start", cursor.start, at),
    positionRow("Applied", cursor.applied, at),
    positionRow("Reader", cursor.reader, at),
    cursor.target === null && goal?.by === "time" ? goalRow(goal.to, at) : positionRow("Target", cursor.target, at),
  ];
  const facts = [
    ...(asked === null ? [] : [pair("Asked for", askedText(asked)), pair("Had", hadText(snapshot))]),
    pair("Last tick", lastTick === null ? "none yet" : tick(lastTick, at)),
    pair("Next tick", nextTickAt === null ? "--" : formatDue(nextTickAt, at)),
    retentionSeconds === null ? nothing : pair("Relay keeps", formatDuration(retentionSeconds)),
  ];
  return panel(
    "position",
    "Position",
    html`<table>
        <thead>
          <tr>
            <th scope="col">Cursor</th>
            <th scope="col">Event time, UTC</th>
            <th scope="col" class="number">Seq</th>
            <th scope="col" class="number">Behind</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
      <dl>${facts}</dl>`,
    { isLong: true },
  );
}

function positionRow(name: string, position: SnapshotPosition | null, at: string): Markup {
  const cells =
    position === null
      ? html`<td class="quiet" colspan="3">not known yet</td>`
      : html`<td><time datetime="${position.time}">${formatTime(position.time)}</time></td>
          <td class="number quiet">${position.seq}</td>
          <td class="number">${formatDuration(secondsBetween(position.time, at))}</td>`;
  return html`<tr>
    <th scope="row">${name}</th>
    ${cells}
  </tr>`;
}

/** The run ends at this event time, and the event there has not been read yet. */
function goalRow(time: string, at: string): Markup {
  return html`<tr>
    <th scope="row">Target</th>
    <td><time datetime="${time}">${formatTime(time)}</time></td>
    <td class="number quiet">--</td>
    <td class="number">${formatDuration(secondsBetween(time, at))}</td>
  </tr>`;
}

function tick(lastTick: NonNullable<Snapshot["lastTick"]>, at: string): string {
  const took = formatDuration(lastTick.durationMs / 1_000);
  return `${formatRelative(lastTick.at, at)}, took ${took}: ${escapeForLog(lastTick.endedBecause)}`;
}

export function troublePanel(snapshot: Snapshot, course: Course): Markup {
  const content = html`${gapList(snapshot)}${resyncLine(snapshot)}${auditLine(snapshot)}${errorList(snapshot)}${markList(course)}`;
  return panel("trouble", "Gaps, errors, marks", content, { isLong: true });
}

/** What the numbers in the plots stand for, the newest first. */
function markList({ marks }: Course): Markup {
  if (marks.length === 0) return nothing;
  return html`<ul class="log marks" aria-label="Marks in the plots">
    ${marks
      .toReversed()
      .slice(0, MOST_MARKS)
      .map(({ number, atMs, text }) => {
        const at = new Date(atMs).toISOString();
        return html`<li>
          <b>${String(number)}</b> <time datetime="${at}">${formatTime(at)}</time> ${escapeForLog(text, 200)}
        </li>`;
      })}
  </ul>`;
}

const MOST_MARKS = 20;

function gapList(snapshot: Snapshot): Markup {
  const { gaps, asked } = snapshot;
  if (asked === null) return html`<p class="quiet">No run yet: nothing has been asked of the relay.</p>`;
  if (snapshot.cursor.start === null && gaps.length === 0)
    return html`<p class="quiet">Nothing has been read yet: whether the relay has all of it is not known.</p>`;
  if (gaps.length === 0)
    return html`<p class="quiet">No gaps so far. Asked for: ${askedText(asked)}. Had: ${hadText(snapshot)}.</p>`;
  const less = missingBefore(snapshot);
  return html`${
      less === null
        ? nothing
        : html`<p class="warn">Less than was asked for. Asked for: ${askedText(asked)}. Had: ${hadText(snapshot)}.</p>`
    }
    <ul class="log">
      ${gaps.map(
        (gap) =>
          html`<li class="warn">
            <b>Gap</b> ${formatTime(gap.from.time)} to ${formatTime(gap.to.time)}
            <span class="seq">seq ${gap.from.seq} to ${gap.to.seq}</span><br />${escapeForLog(gap.host)}:
            ${escapeForLog(gap.reason)}
          </li>`,
      )}
    </ul>`;
}

function resyncLine({ resyncs }: Snapshot): Markup {
  const text = resyncsText(resyncs);
  if (text === null) return nothing;
  const look = resyncs.count > 0 ? "warn" : "quiet";
  return html`<p class="${look}" id="resyncs"><b>Resync</b> ${text}</p>`;
}

function auditLine({ audit }: Snapshot): Markup {
  if (audit === null) return nothing;
  const look = audit.differing > 0 ? "warn" : "quiet";
  return html`<p class="${look}" id="audit"><b>Audit</b> ${escapeForLog(auditText(audit), MOST_AUDIT_CHARS)}</p>`;
}

const MOST_AUDIT_CHARS = 600;

function errorList({ errors, at }: Snapshot): Markup {
  if (errors.length === 0) return html`<p class="quiet">No errors.</p>`;
  return html`<ul class="log">
    ${errors
      .toReversed()
      .map(
        (error) =>
          html`<li>
            <b>${escapeForLog(error.source)}</b> <time datetime="${error.at}">${formatRelative(error.at, at)}</time
            ><br />${escapeForLog(errorText(error, at))}
          </li>`,
      )}
  </ul>`;
}

export function settingsPanel(snapshot: Snapshot): Markup {
  const rows = Object.entries(snapshot.settings);
  const table =
    rows.length === 0
      ? html`<p class="quiet">Nothing is configured yet.</p>`
      : html`<table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Value</th>
              <th scope="col">From</th>
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              ([name, { value, source }]) =>
                html`<tr>
                  <th scope="row">${settingName(name)}</th>
                  <td>${settingValue(value)}</td>
                  <td class="source source-${source}">${source}</td>
                </tr>`,
            )}
          </tbody>
        </table>`;
  return panel("settings", "Settings", html`${tuneList(snapshot)}${table}`, { isLong: true });
}

/** Long names may break after an underscore, and nowhere else. */
function settingName(name: string): Markup {
  const parts = name.split(/(?<=_)/).map((part, index) => html`${index === 0 ? nothing : html`<wbr />`}${part}`);
  return html`<code>${parts}</code>`;
}

function settingValue(value: string | number | boolean | null): Markup {
  return value === null ? html`<span class="quiet">none</span>` : html`${escapeForLog(String(value), 120)}`;
}

function tuneList({ tunes, at }: Snapshot): Markup {
  if (tunes.length === 0) return nothing;
  return html`<ul class="log">
    ${tunes
      .toReversed()
      .map(
        (tune) =>
          html`<li>
            <b>${tune.by}</b> <time datetime="${tune.at}">${formatRelative(tune.at, at)}</time>${
              tune.pending ? html`, <em>pending until the next batch</em>` : nothing
            }${Object.entries(tune.changes).map(
              ([name, { from, to }]) => html`<br /><code>${name}</code> ${String(from)} → ${String(to)}`,
            )}
          </li>`,
      )}
  </ul>`;
}
