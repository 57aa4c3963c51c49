/** A start that asked for more than the host keeps: what is missing is a gap like any other, and is said aloud. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Position } from "@firehose-backfill/core/position";
import type { ReaderDeps } from "./deps.ts";

export const BEFORE_KEPT = "before what the host keeps";

/**
 * Told once, with the first window of a start by time. `oldestKeptMs`: as far back as the host goes, where it was seen;
 * `first`: where the run begins to read. Of a start by a sequence number only the host's own numbers can tell (reader).
 */
export async function noteStartGap(
  deps: Pick<ReaderDeps, "store" | "clock" | "log">,
  run: Run,
  had: { readonly oldestKeptMs: number | null; readonly first: Position | null },
): Promise<boolean> {
  const { oldestKeptMs, first } = had;
  if (run.start.kind !== "time" || oldestKeptMs === null || oldestKeptMs <= run.start.timeMs) return false;
  const to = { seq: first?.seq ?? 0, timeMs: oldestKeptMs };
  const [asked, kept] = [run.start.timeMs, oldestKeptMs].map((timeMs) => new Date(timeMs).toISOString());
  deps.log(`[BACKFILL] Asked to start at ${asked}, but the host keeps only what came since ${kept}: starting there`);
  // Which numbers the host gave to what it no longer has, nobody knows: it lies below the first one.
  const from = { seq: 0, timeMs: run.start.timeMs };
  await deps.store.addGap(run.runId, { from, to, host: run.host, reason: BEFORE_KEPT, atMs: deps.clock.now() });
  return true;
}
