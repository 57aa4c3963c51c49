/**
 * The status page: one Snapshot as one self-contained document. No external request, everything escaped. Without a
 * script it reloads itself; with one it updates. The server sends it with `contentSecurityPolicy(nonce)`.
 */
import { escapeForLog } from "@firehose-backfill/core/log-lines";

import { fallsOffSoon } from "./falling-off.ts";
import { formatDuration, formatTime } from "./format.ts";
import { headlineDetail, moodOf, shareText } from "./headline.ts";
import type { HistoryPoint } from "./history.ts";
import { controls } from "./html/controls.ts";
import { html, nothing, trusted, type Markup } from "./html/markup.ts";
import { eventsPanel, memoryPanel, pacePanel, pair, reposPanel, queuePanel } from "./html/panels.ts";
import { SCRIPT } from "./html/script.ts";
import { STYLES } from "./html/styles.ts";
import { positionPanel, settingsPanel, troublePanel } from "./html/tables.ts";
import { track } from "./html/track.ts";
import type { Snapshot } from "./snapshot.ts";
import { staleSeconds } from "./staleness.ts";

export interface PageOptions {
  /** The nonce of this response, for style sheet and script. */
  readonly nonce: string;
  /** For the sparklines; at most 240 points. */
  readonly history?: readonly HistoryPoint[];
  /** Length of a tick, for the stale marker. Default: 60,000. */
  readonly tickMs?: number;
  /** The answer to a form that was sent without a script. */
  readonly notice?: { readonly ok: boolean; readonly text: string };
  /** Without a script, the page does not reload itself, so that a form can be filled in. Absent: there is no such choice. */
  readonly isStill?: boolean;
}

const RELOAD_SECONDS = 10;
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect y='6' width='16' height='4' rx='2' fill='%231d5fbf'/%3E%3C/svg%3E";

export function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "img-src data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

export function renderHtml(snapshot: Snapshot, options: PageOptions): string {
  const history = options.history ?? [];
  // An answer is shown once, not at each reload.
  const reload = options.notice === undefined ? String(RELOAD_SECONDS) : `${RELOAD_SECONDS}; url=/`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title(snapshot)}</title>
        <link rel="icon" href="${ICON}" />
        ${
          options.isStill === true
            ? nothing
            : html`<noscript><meta http-equiv="refresh" content="${reload}" /></noscript>`
        }
        <style nonce="${options.nonce}">
          ${trusted(STYLES)}
        </style>
      </head>
      <body data-at="${snapshot.at}" data-title="${title(snapshot)}">
        ${masthead(snapshot)}
        <main>
          ${answer(options.notice)} ${options.isStill === undefined ? nothing : withoutScript(options.isStill)}
          <div id="warnings" data-live>${warnings(snapshot, options.tickMs ?? 60_000)}</div>
          <section class="hero" aria-label="Run">
            <div id="state" data-live>${state(snapshot)}</div>
            <div id="controls" data-live data-key="${snapshot.status}">${controls(snapshot)}</div>
          </section>
          <div class="panels figures">
            ${[
              eventsPanel(snapshot),
              pacePanel(snapshot, history),
              queuePanel(snapshot, history),
              memoryPanel(snapshot, history),
            ]}
          </div>
          <div class="panels lists">
            ${[reposPanel(snapshot), positionPanel(snapshot), troublePanel(snapshot), settingsPanel(snapshot)]}
          </div>
        </main>
        <script nonce="${options.nonce}">
          ${trusted(SCRIPT)};
        </script>
      </body>
    </html> `;
  return page.markup;
}

function title(snapshot: Snapshot): string {
  if (snapshot.runId === null) return "firehose-backfill";
  const share = snapshot.progress === null ? "" : `${shareText(snapshot)}, `;
  const word = snapshot.stopped === true && !isOver(snapshot) ? "stopped" : snapshot.status;
  const level =
    snapshot.verdict.level === "ok" || snapshot.verdict.level === "waiting" ? "" : `${snapshot.verdict.level}: `;
  return `${level}${share}${word} - firehose-backfill`;
}

function masthead({ host, profile, runId, at }: Snapshot): Markup {
  return html`<header class="masthead">
    <h1>firehose-backfill <span class="host" id="host" data-live>${host === null ? "" : escapeForLog(host)}</span></h1>
    <p id="run" data-live>${[profile, runId].filter((part) => part !== null).join(" · ")}</p>
    <p id="pulse">As of ${formatTime(at)} UTC</p>
  </header>`;
}

/** Always present, so that a screen reader announces an answer that the script inserts; hidden while it is empty. */
function answer(notice: PageOptions["notice"]): Markup {
  const mood = notice?.ok === false ? "notice failed" : "notice";
  const text = notice?.text ?? "";
  return html`<p id="notice" class="${mood}" role="status">${text}</p>`;
}

/** Filling in a form takes longer than a reload interval. The script removes this line. */
function withoutScript(isStill: boolean): Markup {
  const choice = isStill
    ? html`This page stands still. <a href="/">Let it reload itself</a>`
    : html`This page reloads itself every ${RELOAD_SECONDS} s. <a href="/?still">Let it stand still</a>, to fill in a
        form.`;
  return html`<p id="reloads" class="notice">${choice}</p>`;
}

function warnings(snapshot: Snapshot, tickMs: number): Markup {
  if (snapshot.stopped === true) {
    return banner("bad", `Stopped: the process is gone. This is what it last knew, at ${formatTime(snapshot.at)} UTC.`);
  }
  const stale = staleSeconds(snapshot, { tickMs, nowIso: snapshot.at });
  const fallsOff = fallsOffSoon(snapshot);
  const { verdict } = snapshot;
  // These have their own texts below.
  const isSaid = verdict.level === "ok" || stale !== null || (fallsOff !== null && verdict.text.includes("falls off"));
  return html`${[
    isSaid || snapshot.status === "enqueued"
      ? nothing
      : banner(verdict.level === "failed" ? "bad" : "warn", sentences(snapshot)),
    stale === null ? nothing : banner("warn", `Stale: no sign of the reader for ${formatDuration(stale)}.`),
    fallsOff === null
      ? nothing
      : banner(
          "warn",
          `Falling behind: what is read next falls off the relay's window in ${formatDuration(fallsOff)}. A shorter batch delay or a larger batch size helps.`,
        ),
  ]}`;
}

function sentences({ verdict }: Snapshot): string {
  const since = verdict.since === null ? "" : `, since ${formatTime(verdict.since)} UTC`;
  const advice = verdict.advice === null ? "" : ` ${capitalized(escapeForLog(verdict.advice))}.`;
  return `${capitalized(escapeForLog(verdict.text))}${since}.${advice}`;
}

function isOver({ status }: Snapshot): boolean {
  return status === "succeeded" || status === "cancelled";
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function banner(mood: "warn" | "bad", text: string): Markup {
  return html`<p class="notice ${mood}">${text}</p>`;
}

function state(snapshot: Snapshot): Markup {
  const { status, etaSeconds, elapsedSeconds, lagSeconds, fallsOffInSeconds } = snapshot;
  const word = html`<span class="word ${status}">${status === "none" ? "no run yet" : status}</span>`;
  if (status === "none") {
    return html`<p class="state mood-${moodOf(snapshot)}">
      ${word} <span class="reason">Start one here, or with <code>firehose-backfill start --days 1</code>.</span>
    </p>`;
  }
  return html`<p class="state mood-${moodOf(snapshot)}">
      <strong>${shareText(snapshot)}</strong> ${word}
      <span class="reason">${escapeForLog(headlineDetail(snapshot))}</span>
    </p>
    ${track(snapshot)}
    <dl class="times">
      ${[
        pair("Time left", etaSeconds === null ? "--" : formatDuration(etaSeconds)),
        pair("Elapsed", formatDuration(elapsedSeconds)),
        pair("Lag", lagSeconds === null ? "--" : formatDuration(lagSeconds)),
        fallsOffInSeconds === null ? nothing : pair("Falls off the relay in", formatDuration(fallsOffInSeconds)),
      ]}
    </dl>`;
}
