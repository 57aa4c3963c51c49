/**
 * The notices about a run: it ended or stopped, or has a problem. Pure. The words are those of the verdict, so
 * that a notice says the same as the page.
 */
import { fallsOffSoon } from "./falling-off.ts";
import { formatCount, formatDuration } from "./format.ts";
import { headlineText } from "./headline.ts";
import type { Snapshot } from "./snapshot.ts";

/** `ended` and `stopped` are sent each time; a problem that comes and goes is sent at most once an hour. */
export type NoticeKind = "ended" | "stopped" | "source-unreachable" | "waiting" | "falls-off" | "dead-events";

export interface Notice {
  readonly kind: NoticeKind;
  /** One or two sentences. May contain text from the network. */
  readonly text: string;
}

/** When a notice of each kind was sent, Unix time in milliseconds. */
export type Told = Readonly<Partial<Record<NoticeKind, number>>>;

/** A problem that is over within a minute needs no notice. */
const LEAST_TROUBLE_MS = 60_000;
const AGAIN_AFTER_MS = 3_600_000;
const TOLD_EACH_TIME: ReadonlySet<NoticeKind> = new Set(["ended", "stopped"]);

/** All notices that apply now, sent or not. */
export function noticesOf(snapshot: Snapshot): readonly Notice[] {
  const { status, runId, name, outage, waiting, dead, verdict } = snapshot;
  if (runId === null || snapshot.stopped === true) return [];
  const who = name === null ? runId : `${name} (${runId})`;
  const about = `firehose-backfill: run ${who}${snapshot.host === null ? "" : ` on ${snapshot.host}`}`;
  const advice = verdict.advice === null ? "" : ` ${capitalized(verdict.advice)}.`;
  const notices: Notice[] = [];
  if (status === "succeeded" || status === "cancelled")
    notices.push({ kind: "ended", text: `${about}: ${headlineText(snapshot)}.${advice}` });
  if (status === "errored" || (status === "paused" && snapshot.reason !== null))
    notices.push({ kind: "stopped", text: `${about}: ${headlineText(snapshot)}.${advice}` });
  if (outage !== null && lasts(outage.since, snapshot.at))
    notices.push({
      kind: "source-unreachable",
      text: `${about}: ${outage.text}. Nothing is lost; it tries again by itself.`,
    });
  if (status === "running" && waiting !== null && lasts(waiting.since, snapshot.at))
    notices.push({
      kind: "waiting",
      text: `${about} waits: ${waiting.for}. Nothing is lost; it goes on by itself.`,
    });
  const fallsOff = status === "running" ? fallsOffSoon(snapshot) : null;
  if (fallsOff !== null)
    notices.push({
      kind: "falls-off",
      text: `${about} falls behind: the relay drops the events to read next in ${formatDuration(fallsOff)}. A shorter batch delay or a larger batch size helps.`,
    });
  if (dead > 0)
    notices.push({
      kind: "dead-events",
      text: `${about} has ${formatCount(dead)} dead events. Look at them with firehose-backfill dead, fix the cause, then: firehose-backfill redrive.`,
    });
  return notices;
}

/** Those that were not sent yet. */
export function dueNotices(notices: readonly Notice[], told: Told): readonly Notice[] {
  return notices.filter(({ kind }) => told[kind] === undefined);
}

/** The sent notices that are still stored: if a run ends again after a resume, its end is sent again. */
export function stillTold(notices: readonly Notice[], told: Told, nowMs: number): Told {
  const hold = new Set<string>(notices.map(({ kind }) => kind));
  const kept = Object.entries(told).filter(
    ([kind, atMs]) => hold.has(kind) || (!isToldEachTime(kind) && nowMs - atMs < AGAIN_AFTER_MS),
  );
  return Object.fromEntries(kept);
}

function isToldEachTime(kind: string): boolean {
  return [...TOLD_EACH_TIME].some((each) => each === kind);
}

function lasts(since: string | null, at: string): boolean {
  return since === null || Date.parse(at) - Date.parse(since) >= LEAST_TROUBLE_MS;
}

function capitalized(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
