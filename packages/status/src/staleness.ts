/** Whether the reader is still alive, judged by the end of its last tick. */
import { secondsBetween } from "./format.ts";
import type { Snapshot } from "./snapshot.ts";

/** Seconds since the last sign, if more than two ticks; null if all is well or no sign is expected. */
export function staleSeconds(
  snapshot: Pick<Snapshot, "status" | "lastTick">,
  options: { readonly tickMs: number; readonly nowIso: string },
): number | null {
  const isExpected = snapshot.status === "running" || snapshot.status === "pausing" || snapshot.status === "cancelling";
  if (!isExpected || snapshot.lastTick === null) return null;
  const age = secondsBetween(snapshot.lastTick.at, options.nowIso) - snapshot.lastTick.durationMs / 1_000;
  return age * 1_000 > 2 * options.tickMs ? age : null;
}
