/**
 * Since when a run's reader has received nothing from the relay. It is stored with the end of each tick, under the lease, so
 * that the next tick knows it. Pure.
 */
import type { RunSource } from "@firehose-backfill/source/kit";
import type { Run, TickReport } from "@firehose-backfill/checkpoint/run";

export const UNREACHABLE = "unreachable: ";
export const FAILED = "error: ";
/** Reasons for the end of a tick that do not show whether the relay answers. */
const SAYS_NOTHING = new Set(["stopped", "time", "idle", "memory", "lease lost", "read-ahead full"]);

export function isFailing(endedBecause: string): boolean {
  return endedBecause.startsWith(UNREACHABLE) || endedBecause.startsWith(FAILED);
}

/** Whether a tick that ended so does not show whether the relay answers. */
export function saysNothing(tick: { readonly endedBecause: string; readonly frames: number }): boolean {
  return tick.frames === 0 && SAYS_NOTHING.has(tick.endedBecause);
}

/** The part of the tick's report besides its end; `before` is the run before the tick. */
export function failingSince(
  before: Pick<Run, "lastTick">,
  tick: Pick<TickReport, "atMs" | "endedBecause"> & { readonly frames: number; readonly endedAtMs: number },
): Pick<TickReport, "failingSinceMs"> {
  const sinceMs = before.lastTick?.failingSinceMs;
  if (saysNothing(tick)) return sinceMs === undefined ? {} : { failingSinceMs: sinceMs };
  if (!isFailing(tick.endedBecause)) return {};
  // This tick received frames before the failure, so it is a new outage.
  if (tick.frames > 0) return { failingSinceMs: tick.endedAtMs };
  return { failingSinceMs: sinceMs ?? tick.atMs };
}

/** What a run needs to reach so that it can read: for a person. */
export function reachedFor({ source }: { readonly source: RunSource }): string {
  if (source.kind === "handles") return "the directory that knows handles";
  return source.kind === "relay" ? `the relay ${source.host}` : "the server that says where repositories are";
}
