/** The words and the share that stand largest in every view: from the verdict, so that no view is more cheerful than another. Pure. */
import { formatPercent } from "./format.ts";
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

/** What the verdict says beyond the name of the state. */
export function headlineDetail({ status, verdict }: Pick<Snapshot, "status" | "verdict">): string {
  const isNamed = status !== "none" && verdict.text.startsWith(status);
  return isNamed ? verdict.text.slice(status.length).replace(/^[:;,] /, "") : verdict.text;
}

/** Green is for what is well and goes on, or is done; what the state is called does not count. */
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

/** How far it is: a part of the way; of a run that went all of it, and could not apply all, what it applied. */
export function shareText(snapshot: Pick<Snapshot, "status" | "progress" | "processed" | "dead">): string {
  if (snapshot.status === "succeeded" && snapshot.dead > 0) return appliedText(snapshot);
  return snapshot.progress === null ? "-- %" : formatPercent(snapshot.progress);
}

/** For a bar: what is done of the way, and of a run that is over what it applied. 0 to 1. */
export function shareDone(snapshot: Pick<Snapshot, "status" | "progress" | "processed" | "dead">): number | null {
  const { status, progress, processed, dead } = snapshot;
  return status === "succeeded" && dead > 0 ? processed / (processed + dead) : progress;
}
