/**
 * How the runs of one pace share its read-ahead. A run whose source falls away (a relay's window) goes before one whose
 * source stays (repositories), and the one that is nearest to falling off goes first. Nobody starves, because each run
 * has a share of the whole: what a run has planned already counts against its share, and one that has nothing planned is served
 * before those that have. What a run does not want goes to the others at once. Pure.
 */
import type { Run } from "@firehose-backfill/checkpoint/run";

export interface Sharer {
  readonly run: Pick<Run, "runId" | "readerCursor" | "keptSinceMs" | "createdAtMs" | "start">;
  /** What it reads stays where it is. */
  readonly isLasting: boolean;
  /** It repairs the copy, so it goes before others whose sources stay. */
  readonly isRepair?: boolean;
  /** Planned and not applied yet, or being read now. */
  readonly plannedEvents: number;
  /** The most that it has a use for; Infinity: not known. */
  readonly wantedEvents: number;
}

/** Shares of the whole, as parts of their sum. */
const NEXT_TO_FALL_OFF = 16;
const FALLS_OFF = 8;
const REPAIRS = 4;
const STAYS = 1;
/** The read-ahead is given away in at most so many parts. */
const MOST_PARTS = 200;

/** How many of `freeEvents` each run may read now, by its id. Their sum is `freeEvents`, unless nobody wants the rest. */
export function shareReadAhead(
  sharers: readonly Sharer[],
  freeEvents: number,
  { nowMs, batchSize }: { readonly nowMs: number; readonly batchSize: number },
): ReadonlyMap<string, number> {
  const order = inOrder(sharers, nowMs).map(({ sharer, weight }) => ({ ...sharer, weight, given: 0 }));
  const part = Math.max(1, batchSize, Math.ceil(freeEvents / MOST_PARTS));
  for (let left = Math.floor(freeEvents); left > 0;) {
    let next: (typeof order)[number] | null = null;
    for (const each of order) {
      if (each.given >= each.wantedEvents) continue;
      if (next === null || fullness(each) < fullness(next)) next = each;
    }
    if (next === null) break;
    const events = Math.min(part, left, Math.max(1, Math.floor(next.wantedEvents - next.given)));
    next.given += events;
    left -= events;
  }
  return new Map(order.map(({ run, given }) => [run.runId, given]));
}

function fullness(each: { readonly plannedEvents: number; readonly given: number; readonly weight: number }): number {
  return (each.plannedEvents + each.given) / each.weight;
}

/** Those that fall off first come first; of two that have the same share, the first one in this order is served first. */
function inOrder(sharers: readonly Sharer[], nowMs: number) {
  const falling = sharers
    .filter(({ isLasting }) => !isLasting)
    .map((sharer) => ({ sharer, inMs: fallsOffInMs(sharer.run, nowMs) }))
    .sort((a, b) => (a.inMs === b.inMs ? 0 : a.inMs - b.inMs))
    .map(({ sharer }, index) => ({ sharer, weight: index === 0 ? NEXT_TO_FALL_OFF : FALLS_OFF }));
  const lasting = sharers
    .filter(({ isLasting }) => isLasting)
    .map((sharer) => ({ sharer, weight: sharer.isRepair === true ? REPAIRS : STAYS }))
    .toSorted((a, b) => b.weight - a.weight);
  return [...falling, ...lasting];
}

/** Until the source no longer keeps what the run reads next. Infinity: it is not known what the source keeps. */
export function fallsOffInMs({ keptSinceMs, createdAtMs, readerCursor, start }: Sharer["run"], nowMs: number): number {
  if (keptSinceMs === null) return Number.POSITIVE_INFINITY;
  const oldestKeptMs = keptSinceMs + (nowMs - createdAtMs);
  const startMs = start.kind === "time" ? start.timeMs : keptSinceMs;
  return (readerCursor?.timeMs ?? startMs) - oldestKeptMs;
}
