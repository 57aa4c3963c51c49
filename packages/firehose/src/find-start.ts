/** Where a run that starts at a moment begins to read: sought on the host once, instead of reading all that came before. */
import type { OpenOptions } from "@firehose-backfill/source/kit";
import type { SeekOptions, SeekResult } from "./seek.ts";

/** Part of what a tick has left that finding the start may take; the rest is for reading. */
const TIME_SHARE = 1 / 2;

export interface FoundStart {
  /** Read what follows it, and skip what is before the start by event time; null: the run's own cursor or start point. */
  readonly seq: number | null;
  /** Oldest moment the host keeps, where it was seen on the way. */
  readonly oldestKeptMs: number | null;
}

export interface FindStartDeps extends Pick<SeekOptions, "clock" | "random" | "userAgent"> {
  /** null: what comes before the start is read and dropped. */
  readonly seekCursor: ((options: SeekOptions, signal: AbortSignal) => Promise<SeekResult>) | null;
}

/** Never rejects: what cannot be found is read from the oldest. */
export async function findStart(
  deps: FindStartDeps,
  run: Pick<OpenOptions, "start" | "cursor" | "leftMs" | "signal" | "log"> & { readonly startReached: boolean },
  url: string,
): Promise<FoundStart> {
  const { clock, random, userAgent, seekCursor } = deps;
  const isAhead = run.start.kind === "time" && run.cursor === null && !run.startReached;
  if (!isAhead || seekCursor === null) return { seq: null, oldestKeptMs: null };

  const startTimeMs = run.start.timeMs;
  const seeking = { url, startTimeMs, clock, random, userAgent, maxMs: run.leftMs * TIME_SHARE };
  const found = await seekCursor(seeking, run.signal);
  const { from, oldestKept } = found;
  if (from !== null) {
    const [start, at] = [startTimeMs, from.timeMs].map(isoTime);
    run.log(`[BACKFILL] Start at ${start}: reading from seq ${from.seq} (${at}), found in ${found.probes} looks`);
  } else if (found.detail !== null) {
    run.log(`[BACKFILL] The start could not be sought (${found.detail}): reading from the oldest`);
  }
  return { seq: from?.seq ?? null, oldestKeptMs: oldestKept?.timeMs ?? null };
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
