/** The states of a run and the one table of transitions, which store, CLI, page and tests use. */
export const RUN_STATUSES = [
  "enqueued",
  "running",
  "pausing",
  "paused",
  "cancelling",
  "cancelled",
  "succeeded",
  "errored",
] as const;

export type RunStatus = (typeof RUN_STATUSES)[number];

const TRANSITIONS: Readonly<Record<RunStatus, readonly RunStatus[]>> = {
  enqueued: ["running", "paused", "cancelling", "cancelled", "errored"],
  running: ["pausing", "paused", "cancelling", "cancelled", "succeeded", "errored"],
  pausing: ["running", "paused", "cancelling", "cancelled", "succeeded", "errored"],
  paused: ["running", "cancelling", "cancelled"],
  cancelling: ["cancelled"],
  cancelled: [],
  succeeded: [],
  errored: ["running", "cancelling", "cancelled"],
};

export function canTransition(from: RunStatus, to: RunStatus): boolean {
  return TRANSITIONS[from].includes(to);
}

/** The states from which a run may change to `to`. */
export function sourcesOf(to: RunStatus): readonly RunStatus[] {
  return RUN_STATUSES.filter((from) => canTransition(from, to));
}

/** A finished run cannot continue; the next start begins a new one. An errored one can be resumed. */
export function isFinished(status: RunStatus): boolean {
  return status === "cancelled" || status === "succeeded";
}
