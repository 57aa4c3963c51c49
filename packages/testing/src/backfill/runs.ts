/** Runs, windows and stores for the tests of this package. */
import { createMemoryStore } from "../checkpoint/memory-store.ts";
import type { LedgerEntry } from "@firehose-backfill/checkpoint/ledger";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";
import type { OpenWindow } from "@firehose-backfill/checkpoint/window";
import type { BatchCounts } from "@firehose-backfill/core/batch";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { cursorAt } from "@firehose-backfill/source/cursor";
import { newRun } from "@firehose-backfill/backfill/new-run";

export const NOW = Date.UTC(2026, 10, 24);

export async function storeWithRun(
  settings: Readonly<Record<string, string>> = {},
): Promise<{ store: CheckpointStore; run: Run }> {
  const store = createMemoryStore();
  const run = await store.createRun(newRun(parseConfig(settings), { runId: "run", nowMs: NOW }));
  return { store, run };
}

/** A window whose batches have these outcomes; null: not finished. */
export function openWindow(
  number: number,
  outcomes: readonly (BatchCounts | null)[],
  fields: Partial<OpenWindow["window"]> = {},
): OpenWindow {
  const entries = outcomes.map((counts, index): LedgerEntry => ({
    key: { runId: "run", generation: 1, window: number, fence: 1, number: index },
    attempts: 1,
    dueMs: null,
    paceVersion: null,
    removals: 0,
    waits: 0,
    outcome: counts === null ? null : "applied",
    counts,
    finishedAtMs: counts === null ? null : NOW,
    correctionPending: false,
  }));
  const events = 5 * outcomes.length;
  return {
    window: {
      runId: "run",
      generation: 1,
      number,
      fence: 1,
      from: null,
      to: cursorAt(number * 100, NOW + number),
      batches: outcomes.length,
      events,
      bytes: 1_000 * outcomes.length,
      sentAtMs: NOW + number,
      received: events + 2,
      skipped: { collection: 2 },
      ...fields,
    },
    entries,
  };
}

export const FIVE: BatchCounts = { applied: 4, stale: 1, dead: 0 };
