/** Logs that a relay cannot be reached: one line when the outage begins and one when it ends, however often the reader tries. */
import type { Clock } from "@firehose-backfill/core/clock";
import { UNREACHABLE } from "@firehose-backfill/source/verdict";
import { reachedFor, saysNothing } from "./failing-since.ts";
import type { TurnResult } from "./turn.ts";

export interface OutageLog {
  /** After each tick, what became of each run, in the order in which they came. */
  note(result: Pick<TurnResult, "run" | "endedBecause" | "read">): void;
}

export function createOutageLog(options: {
  readonly clock: Pick<Clock, "now">;
  readonly log: (line: string) => void;
}): OutageLog {
  const { clock, log } = options;
  /** By run, since when. */
  const outages = new Map<string, number>();
  return {
    note({ run, endedBecause, read }) {
      const { runId } = run;
      // A run that is paused or over waits for no relay.
      if (run.status !== "running") outages.delete(runId);
      if (read === null) return;
      const sinceMs = outages.get(runId);
      if (endedBecause.startsWith(UNREACHABLE)) {
        // If it was back for less than a tick, it is logged as one outage.
        if (sinceMs !== undefined) return;
        outages.set(runId, clock.now());
        const why = endedBecause.slice(UNREACHABLE.length);
        log(
          `[BACKFILL] ${capitalized(reachedFor(run))} cannot be reached: ${why}. Nothing is lost: queued batches are still applied, and the reader tries again until ${run.source.kind === "relay" ? "the relay" : "it"} answers`,
        );
        return;
      }
      if (sinceMs === undefined || (read.frames === 0 && read.isLeaseLost)) return;
      if (saysNothing({ endedBecause, frames: read.frames })) return;
      const seconds = Math.round((clock.now() - sinceMs) / 1_000);
      outages.delete(runId);
      log(`[BACKFILL] ${capitalized(reachedFor(run))} is back after ${seconds} s`);
    },
  };
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
