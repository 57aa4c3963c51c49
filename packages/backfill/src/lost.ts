/**
 * Whether batches of a run are lost: sent, in no queue any more, and without an outcome. Judged by the run's own ledger, so that
 * nothing that belongs to another run hides a loss. The queue's counts are a shortcut: an empty queue holds none of them. Pure.
 */
import type { Quiet, Run } from "@firehose-backfill/checkpoint/run";
import type { QueueFigures } from "@firehose-backfill/queue/types";
import { MAX_DELAY_MS, type Outstanding } from "./advance-applied.ts";

const OLDEST_OUTSTANDING_MS = 3 * 24 * 3_600_000;

export interface Judged {
  /** Why batches are lost, for the operator; null: they are not, as far as is known. */
  readonly lost: string | null;
  readonly queueEmptySinceMs: number | null;
  readonly quiet: Quiet | null;
}

export function judgeLoss(
  run: Pick<Run, "status" | "pausedNow" | "waiting" | "queueEmptySinceMs" | "quiet">,
  outstanding: Outstanding,
  at: {
    readonly figures: QueueFigures;
    /** Batches of every open run that are outstanding; Infinity: not known. */
    readonly outstandingOfAll: number;
    readonly lostAfterMs: number;
    readonly nowMs: number;
  },
): Judged {
  const { figures, lostAfterMs, nowMs } = at;
  const { batches } = outstanding;
  if (batches === 0) return { lost: null, queueEmptySinceMs: null, quiet: null };
  // Letters do not count: those of this generation have just been marked and are not outstanding any more, and those of another
  // run or generation may lie there for two weeks. One that was not seen, among very many, is read again, which does no harm.
  const isEmpty = figures.ready + figures.inFlight + figures.delayed === 0;
  const queueEmptySinceMs = isEmpty ? (run.queueEmptySinceMs ?? nowMs) : null;
  const quiet = quietOf(run, outstanding, at);
  const seen = { queueEmptySinceMs, quiet };
  if (queueEmptySinceMs !== null && nowMs - queueEmptySinceMs >= lostAfterMs) {
    const why = `${batches} batches are outstanding, and the queue has been empty for ${seconds(nowMs - queueEmptySinceMs)} s`;
    return { ...seen, lost: why };
  }
  if (quiet !== null && nowMs - quiet.sinceMs >= MAX_DELAY_MS + lostAfterMs) {
    const why = `${batches} batches are outstanding, and no consumer has received one of them for ${seconds(nowMs - quiet.sinceMs)} s`;
    return { ...seen, lost: why };
  }
  if (outstanding.oldestSentAtMs !== null && nowMs - outstanding.oldestSentAtMs > OLDEST_OUTSTANDING_MS)
    return { ...seen, lost: `${batches} batches are outstanding, the oldest for more than 3 days` };
  return { ...seen, lost: null };
}

/**
 * The stretch of time in which each of the outstanding batches is overdue and none has left a trace. A message that still exists is
 * hidden for 15 minutes at most; a consumer that receives it applies it, gives it a new slot, or notes an attempt or a wait.
 * While something is waited for, or while messages wait for a consumer as many as batches are outstanding, nothing is judged.
 */
function quietOf(
  run: Pick<Run, "status" | "pausedNow" | "waiting" | "quiet">,
  outstanding: Outstanding,
  at: { readonly figures: QueueFigures; readonly outstandingOfAll: number; readonly nowMs: number },
): Quiet | null {
  const isWorking = (run.status === "running" || run.status === "pausing") && !run.pausedNow && run.waiting === null;
  const isOverdue = outstanding.newestDueMs !== null && outstanding.newestDueMs <= at.nowMs;
  // No consumer is there, or all of them are behind: the batches may well be among these.
  const isUnserved = at.figures.ready >= at.outstandingOfAll;
  if (!isWorking || !isOverdue || isUnserved) return null;
  const ledger = `${outstanding.batches} ${outstanding.traces} ${outstanding.newestDueMs ?? 0}`;
  return run.quiet?.ledger === ledger ? run.quiet : { sinceMs: at.nowMs, ledger };
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
