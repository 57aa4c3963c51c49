/** Logs that a relay cannot be reached: one line when the outage begins and one when it ends, however often the reader tries. */
import type { Clock } from "@firehose-backfill/core/clock";
import { UNREACHABLE } from "@firehose-backfill/source/verdict";
import { reachedFor, saysNothing } from "./failing-since.ts";
import type { TickResult } from "./run-tick.ts";

export interface OutageLog {
  /** Called after each tick, in order. */
  note(result: Pick<TickResult, "run" | "endedBecause" | "read">): void;
}

export function createOutageLog(options: {
  readonly clock: Pick<Clock, "now">;
  readonly log: (line: string) => void;
}): OutageLog {
  const { clock, log } = options;
  let outage: { readonly runId: string; readonly what: string; readonly sinceMs: number } | null = null;
  return {
    note({ run, endedBecause, read }) {
      // An outage belongs to one run; a run that is paused or over does not wait for its relay.
      if (run === null || run.runId !== outage?.runId || run.status !== "running") outage = null;
      if (run === null || read === null) return;
      if (endedBecause.startsWith(UNREACHABLE)) {
        // If it was back for less than a tick, it is logged as one outage.
        if (outage !== null) return;
        outage = { runId: run.runId, what: reachedFor(run), sinceMs: clock.now() };
        const why = endedBecause.slice(UNREACHABLE.length);
        log(
          `[BACKFILL] ${capitalized(outage.what)} cannot be reached: ${why}. Nothing is lost: queued batches are still applied, and the reader tries again until ${run.source.kind === "relay" ? "the relay" : "it"} answers`,
        );
        return;
      }
      if (outage === null || (read.frames === 0 && read.isLeaseLost)) return;
      if (saysNothing({ endedBecause, frames: read.frames })) return;
      const seconds = Math.round((clock.now() - outage.sinceMs) / 1_000);
      const { what } = outage;
      outage = null;
      log(`[BACKFILL] ${capitalized(what)} is back after ${seconds} s`);
    },
  };
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
