/** Where a run that starts at a moment begins to read: sought on the host once, instead of reading all that came before. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { ScopeSettings } from "@firehose-backfill/core/config/settings";
import type { ReaderDeps } from "./deps.ts";

/** Part of what a tick has left that finding the start may take; the rest is for reading. */
const TIME_SHARE = 1 / 2;

export interface FoundStart {
  /** Read what follows it, and skip what is before the start by event time; null: the run's own cursor or start point. */
  readonly seq: number | null;
  /** Oldest moment the host keeps, where it was seen on the way. */
  readonly oldestKeptMs: number | null;
}

/** @throws Error where there is no relay to connect to */
export function relayUrlOf(deps: Pick<ReaderDeps, "place">, scope: ScopeSettings): string {
  const url = scope.relayUrl ?? deps.place.sampleRelayUrl;
  if (url === null) throw new Error("RELAY_URL is not set, and there is no sample relay here");
  return url;
}

/** Never rejects: what cannot be found is read from the oldest. */
export async function findStart(
  deps: Pick<ReaderDeps, "clock" | "random" | "place" | "seekCursor" | "log">,
  run: Run,
  options: { readonly url: string; readonly signal: AbortSignal; readonly leftMs: number },
): Promise<FoundStart> {
  const { clock, random, place, seekCursor } = deps;
  const isAhead = run.start.kind === "time" && run.readerCursor === null && !run.startReached;
  if (!isAhead || seekCursor === null) return { seq: null, oldestKeptMs: null };

  const startTimeMs = run.start.timeMs;
  const { url, signal, leftMs } = options;
  const seeking = { url, startTimeMs, clock, random, userAgent: place.userAgent, maxMs: leftMs * TIME_SHARE };
  const found = await seekCursor(seeking, signal);
  const { from, oldestKept } = found;
  if (from !== null) {
    const [start, at] = [startTimeMs, from.timeMs].map(isoTime);
    deps.log(`[BACKFILL] Start at ${start}: reading from seq ${from.seq} (${at}), found in ${found.probes} looks`);
  } else if (found.detail !== null) {
    deps.log(`[BACKFILL] The start could not be sought (${found.detail}): reading from the oldest`);
  }
  return { seq: from?.seq ?? null, oldestKeptMs: oldestKept?.timeMs ?? null };
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
