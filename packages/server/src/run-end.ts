/** When a local process has finished with its run, and how it exits. Pure: decides from the run as last seen. */
import { needsNewStart } from "@firehose-backfill/source/verdict";
import type { Run } from "@firehose-backfill/checkpoint/run";

export type RunExit = "done" | "done-with-dead" | "cancelled" | "errored" | "paused" | "stopped";

/** null: it continues. */
export function runEnd(
  run: Run,
  untilDone: boolean,
): { readonly exit: RunExit; readonly message: string | null } | null {
  switch (run.status) {
    case "succeeded":
      if (!untilDone) return null;
      return run.totals.dead === 0
        ? { exit: "done", message: null }
        : {
            exit: "done-with-dead",
            message: `${run.totals.dead} events could not be applied: see firehose.dead_events and the dead-letter queue`,
          };
    case "cancelled":
      return untilDone ? { exit: "cancelled", message: `run ${run.runId} was cancelled` } : null;
    case "errored":
      return { exit: "errored", message: `errored: ${run.reason ?? "no reason known"}` };
    case "paused":
      // Only the operator can decide where to continue, so the process ends instead of waiting.
      return untilDone && needsNewStart(run.reason)
        ? {
            exit: "paused",
            message: `paused: ${run.reason ?? ""}. To continue: firehose-backfill resume --from oldest|live|SEQ|TIME`,
          }
        : null;
    case "enqueued":
    case "running":
    case "pausing":
    case "cancelling":
      return null;
    default: {
      const unreachable: never = run.status;
      return unreachable;
    }
  }
}
