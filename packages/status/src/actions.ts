/**
 * The actions that are possible now, by the one table of transitions, and why others are not. Page and command line both use it,
 * so that a button never offers an action that the control would refuse.
 */
import { canTransition, isFinished } from "@firehose-backfill/core/run-state";

import type { Snapshot } from "./snapshot.ts";

export const ACTIONS = ["start", "pause", "pause-now", "resume", "cancel", "tune", "tick", "redrive"] as const;
export type Action = (typeof ACTIONS)[number];

export type Permission = { readonly allowed: true } | { readonly allowed: false; readonly because: string };

const ALLOWED: Permission = { allowed: true };

export function permissionFor(
  action: Action,
  snapshot: Pick<Snapshot, "status" | "stopped" | "queue" | "dead">,
): Permission {
  const { status } = snapshot;
  if (snapshot.stopped === true) return refuse("the process is stopped");
  switch (action) {
    case "start":
      return status === "none" || isFinished(status) ? ALLOWED : refuse(`a run is ${status}`);
    case "redrive":
      return snapshot.queue.deadLetters > 0 || snapshot.dead > 0 ? ALLOWED : refuse("nothing is dead");
    case "pause":
    case "pause-now":
    case "resume":
    case "cancel":
    case "tune":
    case "tick":
      return status === "none" ? refuse("there is no run") : permissionOnRun(action, status);
    default:
      return unreachable(action);
  }
}

function permissionOnRun(
  action: Exclude<Action, "start" | "redrive">,
  status: Exclude<Snapshot["status"], "none">,
): Permission {
  if (isFinished(status)) return refuse(`the run is ${status}`);
  switch (action) {
    case "pause":
      if (status === "pausing") return refuse("the run is already pausing");
      return canTransition(status, "paused") ? ALLOWED : refuse(`the run is ${status}`);
    case "pause-now":
      return canTransition(status, "paused") ? ALLOWED : refuse(`the run is ${status}`);
    case "resume":
      if (status === "enqueued") return refuse("the run has not begun yet");
      return canTransition(status, "running") ? ALLOWED : refuse(`the run is ${status}`);
    case "cancel":
      return canTransition(status, "cancelling") ? ALLOWED : refuse("the run is already being cancelled");
    case "tune":
      return status === "cancelling" ? refuse("the run is being cancelled") : ALLOWED;
    case "tick":
      return status === "paused" || status === "errored" ? refuse(`the run is ${status}; resume it first`) : ALLOWED;
    default:
      return unreachable(action);
  }
}

function refuse(because: string): Permission {
  return { allowed: false, because };
}

function unreachable(action: never): never {
  throw new TypeError(`no such action: ${String(action)}`);
}
