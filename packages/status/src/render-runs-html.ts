/** The page of all runs: those that are open, each with what an operator on call looks for first, and those that are over. */
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { formatTime } from "./format.ts";
import { startForm } from "./html/start-form.ts";
import { frame, type FrameOptions } from "./html/document.ts";
import { html, nothing, trusted, type Markup } from "./html/markup.ts";
import { pair } from "./html/panels.ts";
import { type RunRow, runRows, runsHeadline } from "./run-row.ts";
import { type RunSummary, summaryFigures, summaryTimes } from "./run-summary.ts";
import type { Snapshot } from "./snapshot.ts";

export interface RunsPageOptions extends FrameOptions {
  /** `/` where it stands for the page of the only run, else `/runs`. */
  readonly path: "/" | "/runs";
  /** Newest first. */
  readonly past: readonly RunSummary[];
}

/** `snapshots`: of each open run, in the order in which they began; if none is open, of the last one, or of none. */
export function renderRunsHtml(snapshots: readonly Snapshot[], options: RunsPageOptions): string {
  const open = snapshots.filter(isOpen);
  const at = snapshots.at(-1)?.at ?? "";
  const { text, mood } = runsHeadline(open);
  const headline =
    open.length === 0
      ? html`<p class="notice quiet">No run is open.</p>`
      : html`<p class="notice ${mood}">${text}.</p>`;
  return frame({
    ...options,
    title: `${open.length} ${open.length === 1 ? "run" : "runs"} - firehose-backfill`,
    at,
    masthead: masthead(at),
    main: html`<div id="warnings" data-live>${headline}</div>
      <section class="runs-open" aria-labelledby="open-title">
        <h2 id="open-title">Open runs</h2>
        <div id="open" data-live>${openList(runRows(open))}</div>
        <div id="controls" data-live>${startControl(snapshots, options)}</div>
      </section>
      <section class="runs-past" aria-labelledby="past-title">
        <h2 id="past-title">Past runs</h2>
        <div id="past" data-live>${pastList(options.past)}</div>
      </section>`,
  });
}

function isOpen({ runId, status }: Snapshot): boolean {
  return runId !== null && status !== "none" && status !== "cancelled" && status !== "succeeded";
}

function masthead(at: string): Markup {
  return html`<header class="masthead">
    <h1>firehose-backfill</h1>
    <nav aria-label="Other pages"><a href="/runs" aria-current="page">All runs</a></nav>
    <p id="pulse">As of ${formatTime(at)} UTC</p>
  </header>`;
}

function startControl(snapshots: readonly Snapshot[], { notice }: RunsPageOptions): Markup {
  const last = snapshots.at(-1);
  if (last === undefined || last.stopped === true) return nothing;
  const label = snapshots.some(isOpen) ? "Start another run…" : "Start a run…";
  return html`<div class="controls" role="group" aria-label="Controls">
    ${startForm(last, { focus: notice?.action === undefined ? null : "start", label })}
  </div>`;
}

/** The page of the run says more. */
const MOST_DETAIL = 120;

function openList(rows: readonly RunRow[]): Markup {
  if (rows.length === 0) return html`<p class="quiet">None. The settings, or the control below, begin one.</p>`;
  return html`<ul class="runs">
    ${rows.map(openRow)}
  </ul>`;
}

function openRow(row: RunRow): Markup {
  const id = row.title === row.runId ? nothing : html`<span class="seq">${escapeForLog(row.runId)}</span>`;
  return html`<li class="run mood-${row.mood}">
    <p class="run-name"><a id="run-${row.runId}" href="${pageOf(row.runId)}">${escapeForLog(row.title)}</a> ${id}</p>
    <p class="run-state">
      <span class="word ${row.status}">${row.status}</span> ${escapeForLog(row.detail, MOST_DETAIL)}
    </p>
    <dl>
      ${[
        pair("Source", escapeForLog(row.source)),
        html`<div>
          <dt>Progress</dt>
          <dd>${row.share}${bar(row.progress)}</dd>
        </div>`,
        pair("Rate (of the pace)", row.rate),
        pair("Lag", row.lag),
        pair("Waits for", escapeForLog(row.waitsFor)),
        pair("Falls off in", row.fallsOff),
      ]}
    </dl>
  </li>`;
}

function bar(progress: number | null): Markup {
  const filled =
    progress === null ? "" : `<rect class="track-applied" width="${(progress * 100).toFixed(1)}%" height="4"/>`;
  return html`<svg class="shares" aria-hidden="true" width="100%" height="4">
    ${trusted(`<rect class="track-all" width="100%" height="4"/>${filled}`)}
  </svg>`;
}

function pastList(past: readonly RunSummary[]): Markup {
  if (past.length === 0) return html`<p class="quiet">None yet.</p>`;
  return html`<ul class="log">
    ${past.map(pastRow)}
  </ul>`;
}

function pastRow(run: RunSummary): Markup {
  const { runId, name, status, host, reason } = run;
  const id = name === null ? nothing : html`<span class="seq">${escapeForLog(runId)}</span>`;
  const why = reason === null ? "" : ` (${escapeForLog(reason)})`;
  return html`<li class="${run.dead > 0 ? "warn" : ""}">
    <a id="past-${runId}" href="${pageOf(runId)}">${escapeForLog(name ?? runId)}</a> ${id} <b>${status}</b>${why},
    ${escapeForLog(host ?? "--")}: ${summaryFigures(run)}
    <a href="/report?run=${encodeURIComponent(runId)}" aria-label="Report of ${escapeForLog(name ?? runId)}">Report</a
    ><br />${summaryTimes(run)}
  </li>`;
}

function pageOf(runId: string): string {
  return `/?run=${encodeURIComponent(runId)}`;
}
