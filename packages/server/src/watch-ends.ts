/** Evaluates each tick for the process: whether its runs have ended, and whether its source has never answered. */
import type { Tick } from "@firehose-backfill/backfill/run-tick";
import { isResyncRun, type Run } from "@firehose-backfill/checkpoint/run";
import { isFinished } from "@firehose-backfill/core/run-state";
import { UNREACHABLE } from "@firehose-backfill/source/verdict";
import { of, runEnd, type RunEnd, runsEnd } from "./run-end.ts";

export function watchEnds(options: {
  readonly untilDone: boolean;
  /** Called when the process should end. Only the first call counts. */
  readonly end: (how: RunEnd) => void;
  /** Called when the last run has succeeded. */
  readonly tidy: () => void;
}): (tick: Tick) => void {
  let hasReachedHost = false;
  /** How runs have ended while others continue, by their ids. */
  const endedBefore = new Map<string, RunEnd>();
  let afterResyncs: RunEnd | null = null;
  return ({ runs }) => {
    if (runs.length === 0 && afterResyncs !== null) options.end(afterResyncs);
    hasReachedHost ||= runs.some(({ read }) => read !== null && read.frames > 0);
    const [first] = runs;
    // A service whose only work is a resync waits for the directory: it must not be restarted again and again.
    const mayWait = !options.untilDone && runs.every(({ run }) => isResyncRun(run));
    const isUnreachable = !mayWait && runs.every(({ endedBecause }) => endedBecause.startsWith(UNREACHABLE));
    if (!hasReachedHost && first !== undefined && isUnreachable) {
      const source = first.run.source.kind === "relay" ? "relay" : "PLC directory";
      options.end({ exit: "errored", message: `${source} ${first.endedBecause}` });
    }
    // Logged once, because the next tick finds no open run.
    const isOver = ({ run }: { readonly run: Run }) => isFinished(run.status);
    if (runs.some(({ run }) => run.status === "succeeded") && runs.every(isOver)) options.tidy();
    const open = runs.map(({ run }) => run);
    const over = runsEnd(open, { untilDone: options.untilDone, before: [...endedBefore.values()] });
    // There may be more requests than one resync serves: the next tick says so.
    const mayServeMore = runs.every(({ run }) => isResyncRun(run) && isFinished(run.status));
    if (over !== null && mayServeMore) afterResyncs = over;
    else if (over !== null) options.end(over);
    for (const run of open.filter(({ status }) => isFinished(status))) {
      const its = runEnd(run, options.untilDone);
      if (its !== null) endedBefore.set(run.runId, of(run, its));
    }
  };
}
