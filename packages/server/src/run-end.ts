/** Decides when a local process has finished its run, and how it ends. Pure: it uses the run as it was read last. */
import { labelOf } from "@firehose-backfill/backfill/open-run";
import { needsNewStart } from "@firehose-backfill/source/verdict";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import type { Run } from "@firehose-backfill/checkpoint/run";

export type RunExit = "done" | "done-with-dead" | "cancelled" | "errored" | "paused" | "stopped";

export interface RunEnd {
  readonly exit: RunExit;
  readonly message: string | null;
}

/** The worst first. */
const EXITS: readonly RunExit[] = ["errored", "paused", "done-with-dead", "cancelled", "done"];

/**
 * How the process ends when none of its open runs continues. `before`: how its other runs have ended. The worst end counts.
 * null: a run continues, or no run is open and none has ended.
 */
export function runsEnd(
  open: readonly Run[],
  { untilDone, before }: { readonly untilDone: boolean; readonly before: readonly RunEnd[] },
): RunEnd | null {
  const now = open.map((run) => ({ run, end: runEnd(run, untilDone) }));
  if (now.length === 0 || now.some(({ end }) => end === null)) return null;
  const isOne = now.length === 1 && before.length === 0;
  const ends = now.flatMap(({ run, end }) => (end === null ? [] : [isOne ? end : of(run, end)]));
  const all = [...before, ...ends];
  const exit = EXITS.find((worst) => all.some((end) => end.exit === worst)) ?? "done";
  const messages = all.flatMap(({ message }) => (message === null ? [] : [message]));
  return { exit, message: messages.length === 0 ? null : messages.join("; ") };
}

/** null: none has to be read anew. For the end of a process, which serves no more. */
export function resyncsLeft({ resyncs: { count } }: Pick<Snapshot, "resyncs">): string | null {
  if (count === 0) return null;
  const have = count === 1 ? "1 repository has" : `${count} repositories have`;
  return `[BACKFILL] ${have} to be read anew: the next start of the program does it, but for those that firehose-backfill resyncs calls held`;
}

/** If there are several runs, the end names its run. */
export function of(run: Pick<Run, "runId" | "name">, end: RunEnd): RunEnd {
  return { ...end, message: end.message === null ? null : `${labelOf(run)}: ${end.message}` };
}

/** null: the run continues. */
export function runEnd(run: Run, untilDone: boolean): RunEnd | null {
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
