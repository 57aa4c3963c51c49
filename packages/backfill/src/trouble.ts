/** For how long a run has been in trouble that only its reader can see: in seconds, for alarms. Pure. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Outstanding } from "./advance-applied.ts";

/** How long consumers have waited for the database or for production's health; 0: they do not, or somebody has paused them. */
export function secondsWaiting(run: Pick<Run, "status" | "waiting">, nowMs: number): number {
  if (run.waiting === null || !isWorking(run)) return 0;
  return Math.max(0, nowMs - run.waiting.sinceMs) / 1000;
}

/**
 * How long ago the oldest batch that is not finished should have been applied; 0: none is overdue. The age that SQS
 * gives leaves out messages that were received three times: those that wait, and those whose consumer dies again and again.
 */
export function secondsOverdue(run: Pick<Run, "status">, outstanding: Outstanding, nowMs: number): number {
  if (outstanding.oldestDueMs === null || !isWorking(run)) return 0;
  return Math.max(0, nowMs - outstanding.oldestDueMs) / 1000;
}

function isWorking({ status }: Pick<Run, "status">): boolean {
  return status === "running" || status === "pausing";
}
