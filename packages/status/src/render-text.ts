/**
 * A Snapshot as one block of lines for a terminal. Pure: the caller knows the width and whether to use colours.
 * The words are complete without colours.
 */
import { escapeForLog } from "@firehose-backfill/core/log-lines";

import { auditText } from "./audit-lines.ts";
import { fallsOffSoon } from "./falling-off.ts";
import { askedText, hadText, missingBefore } from "./asked.ts";
import {
  formatAbout,
  formatCount,
  formatDue,
  formatDuration,
  formatRate,
  formatRateOrDash,
  formatRelative,
  formatTime,
  sumOf,
} from "./format.ts";
import { errorText } from "./group-errors.ts";
import { goalText, headlineText, type Mood, moodOf, shareDone, shareText } from "./headline.ts";
import { currentText, handlesText, hostText, reposText } from "./repos-text.ts";
import { resyncsText } from "./resyncs-text.ts";
import type { Snapshot, SnapshotRepos } from "./snapshot.ts";
import { staleSeconds } from "./staleness.ts";
import { endsByItself } from "./verdict.ts";
import { terminalLine, type Ink, type Piece } from "./terminal.ts";

export interface TextOptions {
  /** Columns of the terminal; lines are cut there, because a wrapped line cannot be redrawn. */
  readonly width: number;
  /** ANSI colours: a terminal, and NO_COLOR not set. */
  readonly color: boolean;
  /** Length of a tick, for the stale marker. Default: 60,000. */
  readonly tickMs?: number;
}

const LABEL_WIDTH = 9;
/** The page and the JSON have all of them. */
const MAX_HOST_LINES = 3;
const MAX_BAR = 40;
const MIN_BAR = 10;
const MAX_AUDIT_CHARS = 600;

export function renderText(snapshot: Snapshot, options: TextOptions): readonly string[] {
  const lines = snapshot.runId === null ? [headline(snapshot), EMPTY] : runLines(snapshot, options);
  return lines.map((line) => terminalLine(line, options));
}

type Line = readonly Piece[];

const EMPTY: Line = ["No run yet. Begin one with: firehose-backfill start --days 1"];

function runLines(snapshot: Snapshot, options: TextOptions): readonly Line[] {
  return [
    headline(snapshot),
    progressLine(snapshot, options.width),
    row("rate", rateText(snapshot)),
    row("events", eventsText(snapshot)),
    ...(snapshot.repos === null ? [row("lag", lagText(snapshot))] : reposLines(snapshot, snapshot.repos)),
    row("queue", queueText(snapshot)),
    row("memory", memoryText(snapshot)),
    row("tick", tickText(snapshot)),
    row("asked", askedLine(snapshot)),
    ...noticeLines(snapshot, options.tickMs ?? 60_000),
  ];
}

function headline(snapshot: Snapshot): Line {
  const parts = [snapshot.host, snapshot.profile, snapshot.runId].filter((part) => part !== null);
  return [
    "firehose-backfill: ",
    {
      text:
        snapshot.status === "none"
          ? "idle"
          : escapeForLog(
              snapshot.stopped === true && !endsByItself(snapshot.status) ? snapshot.status : headlineText(snapshot),
            ),
      ink: MOOD_INK[moodOf(snapshot)],
    },
    snapshot.stopped === true ? `, stopped: the process is gone, last seen ${formatTime(snapshot.at)} UTC` : "",
    ...parts.map((part) => ` - ${escapeForLog(part)}`),
  ];
}

export const MOOD_INK: Readonly<Record<Mood, Ink>> = {
  good: "green",
  quiet: "dim",
  begun: "blue",
  warn: "yellow",
  bad: "red",
};

function progressLine(snapshot: Snapshot, width: number): Line {
  const isOver = snapshot.status === "succeeded" || snapshot.status === "cancelled";
  const eta = isOver ? "" : `  ETA ${formatAbout(snapshot.etaSeconds)}`;
  const tail = ` ${shareText(snapshot)}${eta}  elapsed ${formatDuration(snapshot.elapsedSeconds)}`;
  const size = Math.min(MAX_BAR, Math.max(MIN_BAR, width - tail.length));
  const filled = Math.floor((shareDone(snapshot) ?? 0) * size);
  return [
    { text: "█".repeat(filled), ink: MOOD_INK[moodOf(snapshot)] },
    { text: "░".repeat(size - filled), ink: "dim" },
    tail,
  ];
}

function askedLine(snapshot: Snapshot): string {
  if (snapshot.asked === null) return "--";
  if (snapshot.source === "handles") return "all accounts in the database";
  if (snapshot.source === "repos") return askedText(snapshot.asked);
  const less = missingBefore(snapshot) === null ? "" : "; the host keeps no more";
  const goal = snapshot.status === "succeeded" ? "" : `; ${goalLine(snapshot)}`;
  return `${askedText(snapshot.asked)}; had: ${hadText(snapshot)}${less}${goal}`;
}

function goalLine(snapshot: Snapshot): string {
  return snapshot.progress === null ? goalText(snapshot) : `progress is ${goalText(snapshot)}`;
}

function rateText({ ratePerSecond, averageRatePerSecond, allowedRatePerSecond, memory, tunes }: Snapshot): string {
  const allowed = allowedRatePerSecond === null ? ", no pacing" : ` of ${formatRate(allowedRatePerSecond)} allowed`;
  const backOff = memory.backOff > 1 ? ` (backing off x${memory.backOff})` : "";
  const tune = tunes.some(({ pending }) => pending) ? "; a tune is pending until the next batch" : "";
  return `${formatRateOrDash(ratePerSecond)} evt/s${allowed}${backOff}, ${formatRateOrDash(averageRatePerSecond)} on average${tune}`;
}

function eventsText({ received, processed, skipped, dead, deadReasons }: Snapshot): string {
  const parts = [
    `${formatCount(received)} received`,
    `${formatCount(processed)} processed`,
    `${formatCount(sumOf(skipped))} skipped${byReason(skipped)}`,
    `${formatCount(dead)} dead${byReason(deadReasons)}`,
  ];
  return parts.join(", ");
}

function byReason(counts: Readonly<Record<string, number>>): string {
  const reasons = Object.entries(counts).map(([reason, count]) => `${escapeForLog(reason)} ${formatCount(count)}`);
  return reasons.length === 0 ? "" : ` (${reasons.join(", ")})`;
}

function lagText({ lagSeconds, cursor, fallsOffInSeconds, processed }: Snapshot): string {
  if (lagSeconds === null || cursor.applied === null)
    return processed === 0 ? "nothing applied yet" : "not known yet: the first window is not applied as a whole";
  const fallsOff =
    fallsOffInSeconds === null ? "" : `; falls off the relay's window in ${formatDuration(fallsOffInSeconds)}`;
  return `${formatDuration(lagSeconds)} (applied up to ${formatTime(cursor.applied.time)} UTC, seq ${cursor.applied.seq})${fallsOff}`;
}

function reposLines({ hosts, source }: Snapshot, repos: SnapshotRepos): readonly Line[] {
  if (source === "handles") return [row("handles", handlesText(repos))];
  const trouble = hosts.filter(({ errors, waitingUntil }) => errors > 0 || waitingUntil !== null);
  const current = currentText(repos);
  return [
    row("repos", reposText(repos)),
    ...(current === null ? [] : [row("reading", current)]),
    ...trouble.slice(0, MAX_HOST_LINES).map((host) => row("host", hostText(host))),
  ];
}

function queueText({ queue }: Snapshot): string {
  const oldest = queue.oldestAgeSeconds === null ? "" : `, oldest ${formatDuration(queue.oldestAgeSeconds)}`;
  const letters = queue.deadLetters === 1 ? "dead letter" : "dead letters";
  return `${formatCount(queue.ready)} ready, ${formatCount(queue.inFlight)} in flight, ${formatCount(queue.delayed)} delayed${oldest}, ${formatCount(queue.deadLetters)} ${letters}`;
}

function memoryText({ memory, consumers, pool }: Snapshot): string {
  const used = memory.usedMb === null ? "--" : formatCount(memory.usedMb);
  const limit = memory.limitMb === null ? "" : ` / ${formatCount(memory.limitMb)}`;
  const pauses = memory.pauses === 1 ? "1 pause" : `${formatCount(memory.pauses)} pauses`;
  return `${used}${limit} MB, ${pauses}; ${consumers.active} of ${consumers.max} batches at work, ${pool.used} of ${pool.size} connections`;
}

function tickText({ lastTick, nextTickAt, at }: Snapshot): string {
  const last =
    lastTick === null ? "none yet" : `${formatRelative(lastTick.at, at)} (${escapeForLog(lastTick.endedBecause)})`;
  return nextTickAt === null ? last : `${last}, next ${formatDue(nextTickAt, at)}`;
}

function noticeLines(snapshot: Snapshot, tickMs: number): readonly Line[] {
  const notices: Line[] = [];
  const { advice, level } = snapshot.verdict;
  if (advice !== null && level !== "ok") notices.push(row("advice", escapeForLog(advice), "yellow"));
  const stale = staleSeconds(snapshot, { tickMs, nowIso: snapshot.at });
  if (stale !== null && snapshot.stopped !== true) {
    notices.push(row("stale", `no sign of the reader for ${formatDuration(stale)}`, "yellow"));
  }
  const fallsOff = fallsOffSoon(snapshot);
  if (fallsOff !== null) {
    const text = `falls off the relay's window in ${formatDuration(fallsOff)}: a shorter batch delay or a larger batch size helps`;
    notices.push(row("behind", text, "yellow"));
  }
  if (snapshot.gaps.length > 0) {
    notices.push(row("gaps", `${snapshot.gaps.length}: the host no longer had these stretches`, "yellow"));
  }
  const resyncs = resyncsText(snapshot.resyncs);
  if (resyncs !== null) notices.push(row("resync", resyncs, snapshot.resyncs.count > 0 ? "yellow" : undefined));
  if (snapshot.audit !== null) {
    const ink = snapshot.audit.differing > 0 ? "yellow" : undefined;
    notices.push(row("audit", escapeForLog(auditText(snapshot.audit), MAX_AUDIT_CHARS), ink));
  }
  const error = snapshot.errors.at(-1);
  if (error !== undefined) {
    const text = `${formatTime(error.at)} ${escapeForLog(error.source)}: ${escapeForLog(errorText(error, snapshot.at))}`;
    notices.push(row("error", text, "red"));
  }
  return notices;
}

function row(label: string, text: string, ink?: Ink): Line {
  return [label.padEnd(LABEL_WIDTH), ink === undefined ? text : { text, ink }];
}
