/**
 * Counts what a run has done so far: the totals in the run item, plus the counts of the windows after the applied cursor
 * (docs/invariants.md, number 3).
 */
import type { Run, RunTotals } from "@firehose-backfill/checkpoint/run";
import { countedOf, processedOf } from "@firehose-backfill/core/batch-counts";
import type { OpenWindow } from "@firehose-backfill/checkpoint/window";

export interface LiveTotals {
  readonly received: number;
  /** Events that were sent to the database, including those that changed nothing because a newer row was there. */
  readonly processed: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly dead: number;
  /** `dead` by reason. Events whose reason is not known are left out. */
  readonly deadReasons: Readonly<Record<string, number>>;
  /** Events that are registered, and neither applied nor dead: they are in the queue, or a consumer is applying them. */
  readonly outstanding: number;
}

export function liveTotals(applied: RunTotals, openWindows: readonly OpenWindow[]): LiveTotals {
  const skipped: Record<string, number> = { ...applied.skipped };
  const deadReasons: Record<string, number> = { ...applied.deadReasons };
  let { received, processed, dead } = applied;
  let outstanding = 0;
  for (const { window, entries } of openWindows) {
    received += window.received;
    addCounts(skipped, window.skipped);
    let finished = 0;
    for (const { outcome, counts } of entries) {
      if (outcome === null || counts === null) continue;
      received += counts.removed ?? 0;
      processed += processedOf(counts);
      dead += counts.dead;
      addCounts(deadReasons, counts.deadReasons ?? {});
      finished += countedOf(counts);
    }
    outstanding += Math.max(0, window.events - finished);
  }
  return { received, processed, skipped, dead, deadReasons, outstanding };
}

function addCounts(sums: Record<string, number>, add: Readonly<Record<string, number>>): void {
  for (const [reason, count] of Object.entries(add)) sums[reason] = (sums[reason] ?? 0) + count;
}

/** The share of a window's events that are applied or dead, from 0 to 1. A window without events has the share 1. */
export function doneShare({ events }: OpenWindow["window"], entries: OpenWindow["entries"]): number {
  let done = 0;
  for (const { counts } of entries) done += counts === null ? 0 : countedOf(counts);
  return events === 0 ? 1 : Math.min(1, done / events);
}

/** When the last batch of the run was applied or dead-lettered, on either side of the applied cursor; 0: no batch was. */
export function lastFinishedMs(run: Pick<Run, "lastFinishedAtMs">, openWindows: readonly OpenWindow[]): number {
  let lastMs = run.lastFinishedAtMs ?? 0;
  for (const { entries } of openWindows)
    for (const { finishedAtMs } of entries) lastMs = Math.max(lastMs, finishedAtMs ?? 0);
  return lastMs;
}
