/** The status that a run takes because of the ledger: when a pausing run is paused, a cancelling one cancelled, a running one succeeded. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { sourcesOf, type RunStatus } from "@firehose-backfill/core/run-state";
import type { ReaderDeps } from "./deps.ts";
import type { Outstanding } from "./advance-applied.ts";

export interface StatusTaken {
  readonly run: Run;
  /** null: the tick may read. Otherwise the reason why not. */
  readonly readsNot: string | null;
}

export async function takeNextStatus(
  deps: Pick<ReaderDeps, "store" | "clock" | "log">,
  run: Run,
  outstanding: Outstanding,
): Promise<StatusTaken> {
  const next = nextStatus(run, outstanding);
  if (next === null) return { run, readsNot: whyNotRead(run) };
  const nowMs = deps.clock.now();
  const isEnd = next === "cancelled" || next === "succeeded";
  const after = await deps.store.transition(run.runId, sourcesOf(next).includes(run.status) ? [run.status] : [], next, {
    ...(isEnd ? { finishedAtMs: nowMs, reason: null } : {}),
    ...(next === "paused" ? { pausedSinceMs: nowMs } : {}),
  });
  // An operator changed the run in between. That change counts, and the next tick sees it.
  if (after === null) return { run, readsNot: "run changed" };
  if (next !== "running")
    deps.log(`[BACKFILL] Run ${after.runId} is ${next}${after.reason === null ? "" : `: ${after.reason}`}`);
  return { run: after, readsNot: whyNotRead(after) };
}

/** null: the status does not change. Pure. */
export function nextStatus(run: Run, outstanding: Outstanding): RunStatus | null {
  switch (run.status) {
    case "enqueued":
      return "running";
    case "pausing":
      return outstanding.batches === 0 ? "paused" : null;
    case "cancelling":
      return "cancelled";
    case "running":
      return isComplete(run, outstanding) ? "succeeded" : null;
    case "paused":
    case "errored":
    case "cancelled":
    case "succeeded":
      return null;
    default: {
      const unreachable: never = run.status;
      return unreachable;
    }
  }
}

/** By the ledger only: applied cursor = reader cursor = target, nothing outstanding. Never by the queue's counts. */
function isComplete(run: Run, outstanding: Outstanding): boolean {
  const { target, readerCursor, appliedCursor } = run;
  if (target === null || readerCursor === null || appliedCursor === null) return false;
  return (
    outstanding.batches === 0 &&
    run.appliedWindow === run.registered &&
    appliedCursor.ordinal === target.ordinal &&
    readerCursor.ordinal === target.ordinal
  );
}

function whyNotRead(run: Run): string | null {
  if (run.status !== "running") return run.status;
  if (run.waiting !== null) return `waiting: ${run.waiting.for}`;
  return run.target === null ? null : "everything is read";
}
