/** Finds where a run that starts at a moment has to begin reading, so that it does not read all that came before. */
import type { OpenOptions } from "@firehose-backfill/source/kit";
import type { SeekOptions, SeekResult } from "./seek.ts";

/** The part of the rest of a tick that the search may take. The other part is for reading. */
const TIME_SHARE = 1 / 2;

export interface FoundStart {
  /** Begin behind this number, and skip what is before the start by event time. null: begin at the cursor or the start point of the run. */
  readonly seq: number | null;
  /** The oldest moment that the host keeps. null: the search did not see it. */
  readonly oldestKeptMs: number | null;
}

export interface FindStartDeps extends Pick<SeekOptions, "clock" | "random" | "userAgent"> {
  /** null: there is no search, and what comes before the start is read and skipped. */
  readonly seekCursor: ((options: SeekOptions, signal: AbortSignal) => Promise<SeekResult>) | null;
}

/** Never rejects. If the start is not found, reading begins at the oldest frame. */
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
