/** How many seconds a run has had a problem that only its reader can see, for alarms. Pure. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Outstanding } from "./advance-applied.ts";

/** How long consumers have waited for the database or for its health; 0: they do not wait, or the run is paused. */
export function secondsWaiting(run: Pick<Run, "status" | "waiting">, nowMs: number): number {
  if (run.waiting === null || !isWorking(run)) return 0;
  return Math.max(0, nowMs - run.waiting.sinceMs) / 1000;
}

/**
 * How long ago the oldest unfinished batch should have been applied; 0: none is overdue. The age that SQS
 * gives does not include messages that were received three times: those that wait, and those whose consumer crashes again and again.
 */
export function secondsOverdue(run: Pick<Run, "status">, outstanding: Outstanding, nowMs: number): number {
  if (outstanding.oldestDueMs === null || !isWorking(run)) return 0;
  return Math.max(0, nowMs - outstanding.oldestDueMs) / 1000;
}

function isWorking({ status }: Pick<Run, "status">): boolean {
  return status === "running" || status === "pausing";
}
