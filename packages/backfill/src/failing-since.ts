/**
 * Since when a run's reader has not got anything out of the relay: the one memory of it that outlives a tick. It is written
 * with the tick's end, by the only one that may, and needs no list of errors. Pure.
 */
import type { Run, TickReport } from "@firehose-backfill/checkpoint/run";

export const UNREACHABLE = "unreachable: ";
export const FAILED = "error: ";
/** Ends of a tick that say nothing of the relay: nobody got as far as to ask it, or to hear it out. */
const SAYS_NOTHING = new Set(["stopped", "time", "idle", "memory", "lease lost", "read-ahead full"]);

export function isFailing(endedBecause: string): boolean {
  return endedBecause.startsWith(UNREACHABLE) || endedBecause.startsWith(FAILED);
}

/** Whether a tick that ended so has heard nothing of the relay, neither good nor bad. */
export function saysNothing(tick: { readonly endedBecause: string; readonly frames: number }): boolean {
  return tick.frames === 0 && SAYS_NOTHING.has(tick.endedBecause);
}

/** What the tick's report says beside its end; `before` is the run as the tick found it. */
export function failingSince(
  before: Pick<Run, "lastTick">,
  tick: Pick<TickReport, "atMs" | "endedBecause"> & { readonly frames: number; readonly endedAtMs: number },
): Pick<TickReport, "failingSinceMs"> {
  const sinceMs = before.lastTick?.failingSinceMs;
  if (saysNothing(tick)) return sinceMs === undefined ? {} : { failingSinceMs: sinceMs };
  if (!isFailing(tick.endedBecause)) return {};
  // Frames have come in this tick, and then no more: it is a new outage.
  if (tick.frames > 0) return { failingSinceMs: tick.endedAtMs };
  return { failingSinceMs: sinceMs ?? tick.atMs };
}
