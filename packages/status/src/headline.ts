/** The most visible words and the share in every view, both from the verdict, so that all views say the same. Pure. */
import { formatCount, formatPercent, formatTime } from "./format.ts";
import type { Snapshot } from "./snapshot.ts";
import { appliedText } from "./verdict.ts";

export type Mood = "good" | "quiet" | "begun" | "warn" | "bad";

/** `running`, `running (the relay … cannot be reached)`, `succeeded (with gaps: …)` */
export function headlineText(snapshot: Pick<Snapshot, "status" | "verdict">): string {
  const { status, verdict } = snapshot;
  if (status === "none") return verdict.text;
  const detail = headlineDetail(snapshot);
  return detail === "" ? status : `${status} (${detail})`;
}

/** The verdict without the name of the status. */
export function headlineDetail({ status, verdict }: Pick<Snapshot, "status" | "verdict">): string {
  const isNamed = status !== "none" && verdict.text.startsWith(status);
  return isNamed ? verdict.text.slice(status.length).replace(/^[:;,]? /, "") : verdict.text;
}

/** Green if the verdict is good, whatever the status is called: the run continues without trouble, or is done. */
export function moodOf({ status, verdict }: Pick<Snapshot, "status" | "verdict">): Mood {
  switch (verdict.level) {
    case "failed":
      return "bad";
    case "attention":
      return "warn";
    case "waiting":
      return status === "enqueued" ? "begun" : "warn";
    case "ok":
      return status === "none" || status === "cancelled" ? "quiet" : "good";
    default: {
      const unreachable: never = verdict.level;
      return unreachable;
    }
  }
}

/** How far the run is: a share of its range; if it read all and could not apply all, the share that was applied. */
export function shareText(snapshot: Pick<Snapshot, "status" | "progress" | "processed" | "dead">): string {
  if (snapshot.status === "succeeded" && snapshot.dead > 0) return appliedText(snapshot);
  return snapshot.progress === null ? "--" : formatPercent(snapshot.progress);
}

/** What the share is of: `of the time from 2026-02-28 09:00:00 to 2026-03-01 09:00:00 UTC`. Without a share, the words for that. */
export function goalText({ progress, goal, source }: Pick<Snapshot, "progress" | "goal" | "source">): string {
  if (goal === null || progress === null) return "target not known yet";
  switch (goal.by) {
    case "time":
      return `of the time from ${formatTime(goal.from)} to ${formatTime(goal.to)} UTC`;
    case "seq":
      return `of the sequence numbers from ${goal.from} to ${goal.to}`;
    case "repos":
      return `of ${formatCount(Number(goal.to))} ${source === "handles" ? "accounts" : "repositories"}`;
    default: {
      const unreachable: never = goal.by;
      return unreachable;
    }
  }
}

/** For a bar: the share that is done; for a run that is over, the share that was applied. 0 to 1. */
export function shareDone(snapshot: Pick<Snapshot, "status" | "progress" | "processed" | "dead">): number | null {
  const { status, progress, processed, dead } = snapshot;
  return status === "succeeded" && dead > 0 ? processed / (processed + dead) : progress;
}
