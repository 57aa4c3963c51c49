/** A start that asked for more than the host keeps: what is missing is recorded as a gap and logged. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { type Cursor, cursorAt } from "@firehose-backfill/source/cursor";
import type { ReaderDeps } from "./deps.ts";

export const BEFORE_KEPT = "before what the host keeps";

/**
 * Told once, with the first window of a start by time. `keptSinceMs`: as far back as the source goes, where it was seen;
 * `first`: where the run begins to read. Of a start by a sequence number only the host's own numbers can tell (reader).
 */
export async function noteStartGap(
  deps: Pick<ReaderDeps, "store" | "clock" | "log">,
  run: Run,
  had: { readonly keptSinceMs: number | null; readonly first: Cursor | null },
): Promise<boolean> {
  const { keptSinceMs, first } = had;
  if (run.start.kind !== "time" || keptSinceMs === null || keptSinceMs <= run.start.timeMs) return false;
  const to = cursorAt(first?.ordinal ?? 0, keptSinceMs);
  const [asked, kept] = [run.start.timeMs, keptSinceMs].map((timeMs) => new Date(timeMs).toISOString());
  deps.log(`[BACKFILL] Asked to start at ${asked}, but the host keeps only what came since ${kept}: starting there. What is older is in the accounts' repositories: BACKFILL_SOURCE=both reads them, too`);
  // The sequence numbers of what the host no longer has are not known; they are below the first one that it has.
  const from = cursorAt(0, run.start.timeMs);
  await deps.store.addGap(run.runId, { from, to, host: run.source.host, reason: BEFORE_KEPT, atMs: deps.clock.now() });
  return true;
}
