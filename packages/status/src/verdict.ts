/**
 * The state of a run in one sentence, and what to do about it: the page's headline, the first line of `status`, the report and
 * the JSON all show this. Pure. It is based on what was really done, because a status alone can sound better than it is.
 */
import { SAMPLE_HOST } from "@firehose-backfill/core/config/host-key";
import { needsNewStart } from "@firehose-backfill/source/verdict";
import { missingBefore } from "./asked.ts";
import { differText, isNothingCompared } from "./audit-lines.ts";
import { fallsOffSoon } from "./falling-off.ts";
import { formatCount, formatDuration, sumOf } from "./format.ts";
import type { Snapshot, Verdict } from "./snapshot.ts";
import { staleSeconds } from "./staleness.ts";

export type Judged = Omit<Snapshot, "verdict">;

/** The length of a tick of a deployed run, and of a local one. */
export const TICK_MS = 60_000;

export function verdictOf(
  snapshot: Judged,
  options: { readonly nowIso?: string; readonly tickMs?: number } = {},
): Verdict {
  const { status } = snapshot;
  if (snapshot.stopped === true && !endsByItself(status) && status !== "none") return gone(snapshot);
  switch (status) {
    case "none":
      return say("ok", "no run yet", null, "begin one with: firehose-backfill start --days 1");
    case "enqueued":
      return say("waiting", "the run begins with the next tick");
    case "running":
      return running(snapshot, { nowIso: options.nowIso ?? snapshot.at, tickMs: options.tickMs ?? TICK_MS });
    case "pausing":
      return say("waiting", `pausing: batches in the queue are still applied${because(snapshot)}`);
    case "paused":
      return needsNewStart(snapshot.reason)
        ? say("attention", `paused: ${snapshot.reason}`, null, "firehose-backfill resume --from oldest|live|SEQ|TIME")
        : paused(snapshot);
    case "cancelling":
      return say("waiting", "cancelling: batches in the queue are deleted");
    case "cancelled":
      return say("ok", `cancelled${because(snapshot)}: ${appliedText(snapshot)}`);
    case "succeeded":
      return succeeded(snapshot);
    case "errored":
      return say("failed", `errored${because(snapshot)}`, null, "fix the cause, then: firehose-backfill resume");
    default: {
      const unreachable: never = status;
      return unreachable;
    }
  }
}

/** Whether nothing seems to be read: then the remaining time is not known. */
export function standsStill(snapshot: Pick<Judged, "status" | "lastTick" | "outage" | "waiting" | "at">): boolean {
  if (snapshot.outage !== null || snapshot.waiting !== null) return true;
  return staleSeconds(snapshot, { tickMs: TICK_MS, nowIso: snapshot.at }) !== null;
}

function running(snapshot: Judged, at: { readonly nowIso: string; readonly tickMs: number }): Verdict {
  const { outage, waiting, lastTick } = snapshot;
  const stale = staleSeconds(snapshot, at);
  if (stale !== null)
    return say("attention", `no sign of the reader for ${formatDuration(stale)}`, lastTick?.at ?? null, LOOK_AT_READER);
  if (outage !== null)
    return say(
      "attention",
      outage.text,
      outage.since,
      `nothing is lost: the reader tries again by itself; look at the ${snapshot.source === "relay" ? "relay" : "server that is named,"} and at the network`,
    );
  const waitsFor = waitText(snapshot);
  if (waitsFor !== null)
    return say(
      "waiting",
      waitsFor,
      waiting?.since ?? null,
      `nothing is lost, and it goes on by itself${whereToLook(waitsFor)}`,
    );
  const fallsOff = fallsOffSoon(snapshot);
  if (fallsOff !== null)
    return say(
      "attention",
      `falling behind: the relay drops the events to read next in ${formatDuration(fallsOff)}`,
      null,
      "a shorter batch delay or a larger batch size helps",
    );
  const dead = deadText(snapshot);
  if (isNothingApplied(snapshot)) return say("attention", `running, but nothing is applied: ${dead}`, null, REDRIVE);
  const memorySince = memoryShortSince(snapshot, at.nowIso);
  if (memorySince !== null)
    return say(
      "waiting",
      "memory is short: batches wait until there is room",
      memorySince,
      "nothing is lost; a higher BACKFILL_MAX_MEMORY_MB or smaller batches help",
    );
  if (dead !== null) return say("attention", `running, but ${dead}`, null, REDRIVE);
  const gaps = gapText(snapshot);
  if (gaps !== null) return say("attention", `running, ${gaps}`, null, LISTED);
  return isAuditBad(snapshot) ? audited("running", snapshot) : say("ok", "running");
}

/** With the error that was met, where it is known: "database" alone does not say whether it refuses, hangs or is full. */
function waitText({ waiting, reason }: Judged): string | null {
  if (waiting === null) return reason;
  const kind = `waiting: ${waiting.for}`;
  return reason?.startsWith(`${kind}: `) === true ? reason : kind;
}

/** Who waits for production is told to look there; who wakes up at night does not know it yet. */
function whereToLook(waitsFor: string): string {
  if (/^waiting: database(?::|$)/.test(waitsFor)) return ". Look at the database";
  return waitsFor.startsWith("waiting: throttle query") ? ". Look at what BACKFILL_THROTTLE_QUERY asks for" : "";
}

/** By whom and since when: whoever looks at the page is often not the one who paused. */
function paused(snapshot: Judged): Verdict {
  const advice = "to continue: firehose-backfill resume";
  const { reason, actions } = snapshot;
  if (reason !== null && reason !== BY_OPERATOR) return say("waiting", `paused${because(snapshot)}`, null, advice);
  const last = actions.findLast(({ what }) => what === "pause");
  const by = last === undefined ? "" : ` ${WAYS[last.by] ?? `(${last.by})`}`;
  return say(
    "waiting",
    reason === null && last === undefined ? "paused" : `${BY_OPERATOR}${by}`,
    last?.at ?? null,
    advice,
  );
}

/** As the control stores it. */
const BY_OPERATOR = "paused by the operator";
const WAYS: Readonly<Record<string, string>> = {
  command: "with a command",
  page: "on the page",
  "control event": "with a control event",
};

export const LOOK_AT_READER =
  "look at the process and its log; on AWS at the alarms and the log of the reader function";

/** Reader or consumers were over the limit within the last tick or two. null: they were not. */
function memoryShortSince({ memory, lastTick }: Judged, nowIso: string): string | null {
  if (lastTick?.endedBecause === "memory") return memory.lastPauseAt ?? lastTick.at;
  const { lastPauseAt } = memory;
  if (lastPauseAt === null) return null;
  return Date.parse(nowIso) - Date.parse(lastPauseAt) < 2 * TICK_MS ? lastPauseAt : null;
}

const LISTED = "the gaps are listed below, and in the report";

/** null: the run has everything that it was asked for. */
function gapText(snapshot: Judged): string | null {
  if (snapshot.gaps.length === 0 || snapshot.host === SAMPLE_HOST) return null;
  return missingBefore(snapshot) === null
    ? "with gaps: the relay no longer had all events"
    : "with less than was asked for: the relay keeps less";
}

const REDRIVE = "look at them with firehose-backfill dead, fix the cause, then: firehose-backfill redrive";

/** Their copy lacks something, as far as is known. */
const RESYNCS =
  "the run called resync reads them as long as the program runs; firehose-backfill resyncs lists them, with those that are held";

function succeeded(snapshot: Judged): Verdict {
  const dead = deadText(snapshot);
  if (isNothingApplied(snapshot)) return say("failed", `finished, but nothing was applied: ${dead}`, null, REDRIVE);
  if (dead !== null) return say("attention", `finished: ${appliedText(snapshot)}, ${dead}`, null, REDRIVE);
  const gaps = gapText(snapshot);
  if (gaps !== null) return say("attention", `succeeded, ${gaps}`, null, LISTED);
  if (isAuditBad(snapshot)) return audited("succeeded", snapshot);
  const { count } = snapshot.resyncs;
  if (count > 0) {
    const repositories = count === 1 ? "1 repository has" : `${formatCount(count)} repositories have`;
    return say("waiting", `succeeded, but ${repositories} to be read anew`, null, RESYNCS);
  }
  if (snapshot.processed > 0) return say("ok", "succeeded");
  const skipped = sumOf(snapshot.skipped);
  return say(
    "ok",
    skipped === 0
      ? "succeeded: there was nothing new"
      : `succeeded: nothing was applied, because all of ${formatCount(skipped)} events were skipped`,
  );
}

/** A copy that is only behind is not wrong: it was compared while somebody wrote. Where nothing could be compared, nobody knows. */
function isAuditBad({ audit }: Judged): boolean {
  return audit !== null && (audit.differing > 0 || isNothingCompared(audit));
}

function audited(what: string, { audit, source }: Judged): Verdict {
  if (audit !== null && isNothingCompared(audit))
    return say(
      "attention",
      `${what}, but the last audit could compare none of ${formatCount(audit.unreachable)} ${audit.unreachable === 1 ? "repository" : "repositories"}`,
      audit.at,
      "firehose-backfill audit says why it could not reach them",
    );
  const differing = audit === null ? "" : differText(audit);
  // There, a repair of all would copy what all accounts have ever written.
  const more =
    source === "relay"
      ? "; a copy from a relay lacks what is older than the relay keeps"
      : "; with --repair they are corrected";
  return say(
    "attention",
    `${what}, but the last audit found that ${differing}`,
    audit?.at ?? null,
    `firehose-backfill audit names the records${more}`,
  );
}

function gone(snapshot: Judged): Verdict {
  const advice = `to continue: firehose-backfill run`;
  return say("attention", `stopped while ${snapshot.status}: the process is gone`, snapshot.at, advice);
}

function isNothingApplied({ processed, dead }: Judged): boolean {
  return processed === 0 && dead > 0;
}

function deadText({ dead, processed }: Judged): string | null {
  return dead === 0 ? null : `${formatCount(dead)} of ${formatCount(dead + processed)} events are dead`;
}

/** `0 of 300 events applied` */
export function appliedText({ processed, dead }: Pick<Snapshot, "processed" | "dead">): string {
  return `${formatCount(processed)} of ${formatCount(processed + dead)} events applied`;
}

function because({ reason }: Judged): string {
  return reason === null ? "" : `: ${reason}`;
}

/** The run had ended or failed before its process was gone: that is the news, and not that nobody works on it. */
export function endsByItself(status: Snapshot["status"]): boolean {
  return status === "succeeded" || status === "cancelled" || status === "errored";
}

function say(
  level: Verdict["level"],
  text: string,
  since: string | null = null,
  advice: string | null = null,
): Verdict {
  return { level, text, since, advice };
}
