/**
 * The page of one run: one Snapshot as one self-contained document (html/document.ts). Where several runs are open, each has such a
 * page, and its forms name the run; render-runs-html.ts is the list of them.
 */
import { escapeForLog } from "@firehose-backfill/core/log-lines";

import { fallsOffSoon } from "./falling-off.ts";
import { formatAbout, formatDuration, formatTime } from "./format.ts";
import { type Mood, moodOf, shareText } from "./headline.ts";
import { type Course, EMPTY_COURSE, RANGES } from "./course.ts";
import { controls } from "./html/controls.ts";
import { frame, type FrameOptions } from "./html/document.ts";
import { logPanel } from "./html/log-panel.ts";
import { html, nothing, type Markup } from "./html/markup.ts";
import { eventsPanel, memoryPanel, pacePanel, pair, queuePanel, reposPanel } from "./html/panels.ts";
import { positionPanel, settingsPanel, troublePanel } from "./html/tables.ts";
import { track } from "./html/track.ts";
import type { Snapshot } from "./snapshot.ts";
import { endsByItself, LOOK_AT_READER } from "./verdict.ts";
import { staleSeconds } from "./staleness.ts";

export { contentSecurityPolicy } from "./html/document.ts";

export interface PageOptions extends FrameOptions {
  /** For the plots. */
  readonly course?: Course;
  /** Length of a tick, for the stale marker. Default: 60,000. */
  readonly tickMs?: number;
  /** Several runs may be open: the forms say which one they are about. */
  readonly isOneOfSeveral?: boolean;
  /** `/dead` is served beside this page. */
  readonly hasDeadPage?: boolean;
}

export function renderHtml(snapshot: Snapshot, options: PageOptions): string {
  const course = options.course ?? EMPTY_COURSE;
  const path = pathOf(snapshot, options, course);
  const shown = {
    run: options.isOneOfSeveral === true ? snapshot.runId : null,
    after: options.notice?.action ?? null,
    hasDeadPage: options.hasDeadPage === true,
  };
  return frame({
    ...options,
    title: titleOf(snapshot),
    at: snapshot.at,
    path,
    masthead: masthead(snapshot, options.isOneOfSeveral === true),
    main: html`<div id="warnings" data-live>${warnings(snapshot, options.tickMs ?? 60_000)}</div>
      <section class="hero" aria-label="Run">
        <div id="state" data-live>${state(snapshot)}</div>
        <div id="controls" data-live data-key="${snapshot.status}">${controls(snapshot, shown)}</div>
      </section>
      ${ranges(snapshot, options, course)}
      <div class="panels figures">
        ${[
          eventsPanel(snapshot, shown),
          pacePanel(snapshot, course),
          queuePanel(snapshot, course, shown),
          memoryPanel(snapshot, course),
        ]}
      </div>
      <div class="panels lists">
        ${[reposPanel(snapshot), positionPanel(snapshot), troublePanel(snapshot, course), settingsPanel(snapshot)]}
      </div>
      ${logPanel(snapshot)}`,
  });
}

/** The page of one of several runs names it. */
function pathOf(snapshot: Snapshot, { isOneOfSeveral }: PageOptions, { range }: Course): string {
  const search = new URLSearchParams();
  if (isOneOfSeveral === true && snapshot.runId !== null) search.set("run", snapshot.runId);
  if (range !== "all") search.set("range", range);
  return search.size === 0 ? "/" : `/?${search.toString()}`;
}

const RANGE_NAMES = { hour: "Last hour", day: "Last day", all: "All" } as const;

/** Links, so that they work without a script. The fragment keeps the place on the page. */
function ranges(snapshot: Snapshot, options: PageOptions, course: Course): Markup {
  return html`<nav class="ranges" id="ranges" aria-label="Range of the plots">
    ${RANGES.map((range) => {
      const href = `${pathOf(snapshot, options, { ...course, range })}#ranges`;
      const current = range === course.range ? html` aria-current="true"` : null;
      return html`<a href="${href}" ${current}>${RANGE_NAMES[range]}</a> `;
    })}
  </nav>`;
}

function titleOf(snapshot: Snapshot): string {
  if (snapshot.runId === null) return "firehose-backfill";
  const share = snapshot.progress === null ? "" : `${shareText(snapshot)}, `;
  const word = snapshot.stopped === true && !isOver(snapshot) ? "stopped" : snapshot.status;
  const level =
    snapshot.verdict.level === "ok" || snapshot.verdict.level === "waiting" ? "" : `${snapshot.verdict.level}: `;
  return `${level}${share}${word} - firehose-backfill`;
}

function masthead({ host, profile, runId, name, at }: Snapshot, isOneOfSeveral: boolean): Markup {
  const report = runId === null ? null : html`<a href="/report?run=${encodeURIComponent(runId)}">Report</a>`;
  return html`<header class="masthead">
    <h1>firehose-backfill <span class="host" id="host" data-live>${host === null ? "" : escapeForLog(host)}</span></h1>
    <p id="run" data-live>${[name, profile, runId].filter((part) => part !== null).join(" · ")}</p>
    <nav aria-label="Other pages"><a href="/runs">${isOneOfSeveral ? "All runs" : "Runs"}</a> ${report}</nav>
    <p id="pulse">As of ${formatTime(at)} UTC</p>
  </header>`;
}

/** The verdict above everything: always one sentence, so that nothing moves when it changes. */
function warnings(snapshot: Snapshot, tickMs: number): Markup {
  if (snapshot.stopped === true) {
    const last = `Stopped: the process is gone. This is what it last knew, at ${formatTime(snapshot.at)} UTC.`;
    if (endsByItself(snapshot.status))
      return banner("bad", snapshot.verdict.level === "ok" ? last : `${sentences(snapshot)} ${last}`);
    return banner("bad", `${last} To continue: firehose-backfill run.`);
  }
  const stale = staleSeconds(snapshot, { tickMs, nowIso: snapshot.at });
  const fallsOff = fallsOffSoon(snapshot);
  const behind = fallsOff === null ? nothing : banner("warn", fallingBehind(fallsOff));
  if (stale !== null)
    return html`${banner("warn", `Stale: no sign of the reader for ${formatDuration(stale)}. ${capitalized(LOOK_AT_READER)}.`)}${behind}`;
  if (snapshot.status === "none" || snapshot.verdict.text.startsWith("falling behind")) return behind;
  return html`${banner(moodOf(snapshot), sentences(snapshot))}${behind}`;
}

function fallingBehind(seconds: number): string {
  return `Falling behind: what is read next falls off the relay's window in ${formatDuration(seconds)}. A shorter batch delay or a larger batch size helps.`;
}

function sentences({ verdict }: Snapshot): string {
  const since = verdict.since === null ? "" : `, since ${formatTime(verdict.since)} UTC`;
  const advice = verdict.advice === null ? "" : ` ${capitalized(escapeForLog(verdict.advice))}.`;
  const room = Math.max(LEAST_CHARS, MOST_CHARS - since.length - advice.length);
  return `${capitalized(escapeForLog(verdict.text, room))}${since}.${advice}`;
}

/**
 * The banner has one height, so that nothing moves when its words change. What does not fit into it is whole among the errors, in the
 * report and in `status`.
 */
const MOST_CHARS = 205;
const LEAST_CHARS = 60;

function isOver({ status }: Snapshot): boolean {
  return status === "succeeded" || status === "cancelled";
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function banner(mood: Mood, text: string): Markup {
  return html`<p class="notice ${mood}">${text}</p>`;
}

function state(snapshot: Snapshot): Markup {
  const { status, etaSeconds, elapsedSeconds, lagSeconds, fallsOffInSeconds } = snapshot;
  const isGone = snapshot.stopped === true && !isOver(snapshot) && status !== "none";
  const word = html`<span class="word ${status}"
    >${status === "none" ? "no run yet" : isGone ? `stopped while ${status}` : status}</span
  >`;
  if (status === "none") {
    return html`<p class="state mood-${moodOf(snapshot)}">
      ${word} <span class="reason">Start one here, or with <code>firehose-backfill start --days 1</code>.</span>
    </p>`;
  }
  return html`<p class="state mood-${moodOf(snapshot)}"><strong>${shareText(snapshot)}</strong> ${word}</p>
    ${track(snapshot)}
    <dl class="times">
      ${[
        pair("Time left", isOver(snapshot) ? "--" : formatAbout(etaSeconds)),
        pair("Elapsed", formatDuration(elapsedSeconds)),
        pair("Lag", lagSeconds === null ? "--" : formatDuration(lagSeconds)),
        fallsOffInSeconds === null ? nothing : pair("Falls off the relay in", formatDuration(fallsOffInSeconds)),
      ]}
    </dl>`;
}
