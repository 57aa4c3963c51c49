/** If a start asked for more than the host keeps, the missing part is recorded as a gap and logged. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { SAMPLE_HOST } from "@firehose-backfill/core/config/host-key";
import { type Cursor, cursorAt } from "@firehose-backfill/source/cursor";
import type { ReaderDeps } from "./deps.ts";

export const BEFORE_KEPT = "before what the host keeps";

/**
 * Done once, with the first window of a start by time. `keptSinceMs`: the oldest time that the source keeps, if it was seen;
 * `first`: where the run begins to read. For a start by sequence number, only the reader can detect it.
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
  // The accounts of the recording have no repositories that anybody could read.
  const older =
    run.source.host === SAMPLE_HOST
      ? "The recording has nothing that is older"
      : "What is older is in the accounts' repositories: BACKFILL_SOURCE=both reads them, too";
  deps.log(
    `[BACKFILL] Asked to start at ${asked}, but the host keeps only what came since ${kept}: starting there. ${older}`,
  );
  // The sequence numbers of the missing events are not known, only that they are below the first one that the host has.
  const from = cursorAt(0, run.start.timeMs);
  await deps.store.addGap(run.runId, { from, to, host: run.source.host, reason: BEFORE_KEPT, atMs: deps.clock.now() });
  return true;
}
