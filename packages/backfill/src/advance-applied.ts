/**
 * Advances the applied cursor: adds the results that consumers wrote into the ledger to the run item. The cursor moves past the
 * first complete windows and no further, so it never passes a batch that is neither applied nor dead.
 */
import type { Run, RunTotals } from "@firehose-backfill/checkpoint/run";
import { countedOf, processedOf } from "@firehose-backfill/core/batch-counts";
import type { WindowStore } from "@firehose-backfill/checkpoint/window-store";
import type { AppliedMove, Lease, OpenWindow } from "@firehose-backfill/checkpoint/window";
import type { CrashPoint } from "./deps.ts";

/** The batches that are in the queue or in a consumer, according to the ledger. */
export interface Outstanding {
  readonly batches: number;
  readonly events: number;
  readonly bytes: number;
  /** When the oldest incomplete window was sent; null: nothing is outstanding. */
  readonly oldestSentAtMs: number | null;
  /** When the oldest of these windows should have been applied, by its last slot; null: nothing is outstanding. */
  readonly oldestDueMs: number | null;
  /** By when all of them should have been applied, by the last slot of any; null: nothing is outstanding. */
  readonly newestDueMs: number | null;
  /** Changes with every delivery that left a trace in the ledger without an outcome: an attempt, a wait, a new slot. */
  readonly traces: number;
}

/** Enough for two ticks at the densest pace; more are read once these are counted. */
const WINDOWS_AT_ONCE = 500;
/** The longest that SQS delays or hides a message for this program. */
export const MAX_DELAY_MS = 900_000;

export const NOTHING_OUTSTANDING: Outstanding = {
  batches: 0,
  events: 0,
  bytes: 0,
  oldestSentAtMs: null,
  oldestDueMs: null,
  newestDueMs: null,
  traces: 0,
};

export function outstandingOf(windows: readonly OpenWindow[]): Outstanding {
  let batches = 0;
  let events = 0;
  let bytes = 0;
  let oldestSentAtMs: number | null = null;
  let oldestDueMs: number | null = null;
  let newestDueMs: number | null = null;
  let traces = 0;
  for (const { window, entries } of windows) {
    const finished = entries.filter((entry) => entry.outcome !== null);
    const open = window.batches - finished.length;
    if (open <= 0) continue;
    batches += open;
    events += window.events - finished.reduce((sum, entry) => sum + eventsOf(entry.counts), 0);
    bytes += (window.bytes * open) / window.batches;
    oldestSentAtMs = Math.min(oldestSentAtMs ?? window.sentAtMs, window.sentAtMs);
    for (const { outcome, attempts, waits, dueMs } of entries)
      if (outcome === null) traces += attempts + waits + (dueMs ?? 0);
    // A program of before did not note the last slot; it was sent at most this long before it.
    newestDueMs = Math.max(newestDueMs ?? 0, window.lastDueMs ?? window.sentAtMs + MAX_DELAY_MS);
    if (window.lastDueMs === undefined) continue;
    const taken = entries.flatMap(({ outcome, dueMs }) => (outcome === null && dueMs !== null ? [dueMs] : []));
    const dueMs = Math.max(window.lastDueMs, ...taken);
    oldestDueMs = Math.min(oldestDueMs ?? dueMs, dueMs);
    newestDueMs = Math.max(newestDueMs, dueMs);
  }
  return { batches, events, bytes, oldestSentAtMs, oldestDueMs, newestDueMs, traces };
}

/** The update that moves the applied cursor past the first complete windows; null: there are none. Pure. */
export function planAppliedMove(run: Run, windows: readonly OpenWindow[]): AppliedMove | null {
  let { appliedWindow } = run;
  let appliedCursor = run.appliedCursor;
  let received = 0;
  let processed = 0;
  let stale = 0;
  let dead = 0;
  let lastFinishedAtMs: number | null = null;
  const skipped: Record<string, number> = {};
  const deadReasons: Record<string, number> = {};
  for (const { window, entries } of windows) {
    if (window.number !== appliedWindow + 1) break;
    const counts = entries.flatMap((entry) => (entry.outcome === null || entry.counts === null ? [] : [entry.counts]));
    if (counts.length < window.batches) break;
    appliedWindow = window.number;
    appliedCursor = window.to;
    received += window.received;
    addCounts(skipped, window.skipped);
    for (const { finishedAtMs } of entries) lastFinishedAtMs = Math.max(lastFinishedAtMs ?? 0, finishedAtMs ?? 0);
    for (const count of counts) {
      received += count.removed ?? 0;
      processed += processedOf(count);
      stale += count.stale;
      dead += count.dead;
      addCounts(deadReasons, count.deadReasons ?? {});
    }
  }
  if (appliedWindow === run.appliedWindow || appliedCursor === null) return null;
  const add: RunTotals = { received, processed, stale, dead, deadReasons, skipped };
  return {
    generation: run.generation,
    appliedWindowBefore: run.appliedWindow,
    appliedWindow,
    appliedCursor,
    lastFinishedAtMs,
    add,
  };
}

/** Moves the applied cursor past all complete windows. null: the lease is lost. */
export async function advanceApplied(
  deps: { readonly store: WindowStore; readonly crashPoint?: CrashPoint },
  lease: Lease,
  run: Run,
): Promise<{ run: Run; outstanding: Outstanding } | null> {
  let current = run;
  for (;;) {
    const windows = await deps.store.openWindows(current, WINDOWS_AT_ONCE);
    const move = planAppliedMove(current, windows);
    if (move === null) return { run: current, outstanding: outstandingOf(windows) };
    await deps.crashPoint?.("mid-advance");
    const after = await deps.store.moveApplied(lease, move);
    if (after === null) return null;
    current = after;
    await deps.crashPoint?.("after-advance");
    await deps.store.sweep(current);
  }
}

function addCounts(sums: Record<string, number>, add: Readonly<Record<string, number>>): void {
  for (const [reason, n] of Object.entries(add)) sums[reason] = (sums[reason] ?? 0) + n;
}

function eventsOf(counts: OpenWindow["entries"][number]["counts"]): number {
  return counts === null ? 0 : countedOf(counts);
}
