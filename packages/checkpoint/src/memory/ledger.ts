/** The ledger in memory. Mirrors dynamo/ledger.ts and correction.ts. */
import type { BatchKey } from "@firehose-backfill/core/batch";
import { addTotals, correctionOf } from "../run-values.ts";
import type { LedgerEntry } from "../ledger.ts";
import type { CheckpointStore } from "../store.ts";
import { entryName, keptName, type RunState, shelfName, shelfOf, type State, type StoredEntry } from "./state.ts";

type Methods =
  | "getEntry"
  | "setPlace"
  | "beginAttempt"
  | "cancelAttempt"
  | "addWait"
  | "finish"
  | "enterDead"
  | "correct";

export function ledgerMethods(state: State): Pick<CheckpointStore, Methods> {
  function find(key: BatchKey): StoredEntry | null {
    const run = state.runs.get(key.runId);
    return run === undefined ? null : findIn(run, key);
  }

  /** The entry after the change; one that has an outcome already stays as it is. */
  function changeOpen(key: BatchKey, change: (entry: StoredEntry) => Partial<StoredEntry>): StoredEntry {
    const entry = find(key) ?? newEntry(key);
    if (entry.outcome !== null) return entry;
    const after = { ...entry, ...change(entry) };
    const run = state.runs.get(key.runId);
    if (run !== undefined) store(run, after);
    return after;
  }

  return {
    async getEntry(key) {
      const entry = find(key);
      return entry === null ? null : visible(entry);
    },

    async setPlace(key, place) {
      const entry = find(key);
      const run = state.runs.get(key.runId);
      if (run !== undefined && entry?.outcome === "dead") store(run, { ...entry, ...place });
      else if ((entry?.paceEpoch ?? 0) <= place.paceEpoch) changeOpen(key, () => place);
    },

    beginAttempt: async (key) => visible(changeOpen(key, ({ attempts }) => ({ attempts: attempts + 1 }))),

    cancelAttempt: async (key) => {
      if (find(key) !== null) changeOpen(key, ({ attempts }) => ({ attempts: Math.max(0, attempts - 1) }));
    },

    async addWait(key) {
      const entry = find(key);
      const run = state.runs.get(key.runId);
      if (run === undefined || entry?.outcome !== "dead")
        return changeOpen(key, ({ waits }) => ({ waits: waits + 1 })).waits;
      store(run, { ...entry, waits: entry.waits + 1 });
      return entry.waits + 1;
    },

    async finish(key, outcome, counts, { nowMs, redriven }) {
      const found = find(key);
      const run = state.runs.get(key.runId);
      if (run !== undefined && redriven && outcome === "applied" && found?.outcome === "dead") {
        const revived = { outcome, counts, before: found.counts, finishedAtMs: nowMs, correctionPending: true };
        const after: StoredEntry = { ...found, ...revived };
        store(run, after);
        return visible(after);
      }
      return visible(changeOpen(key, () => ({ outcome, counts, finishedAtMs: nowMs })));
    },

    async enterDead(key, counts, { nowMs }) {
      const run = state.runs.get(key.runId);
      if (run === undefined || find(key) !== null) return false;
      store(run, { ...newEntry(key), outcome: "dead", counts, finishedAtMs: nowMs, isCounted: true });
      return true;
    },

    async correct(key) {
      const run = state.runs.get(key.runId);
      const entry = find(key);
      if (run !== undefined && entry !== null) correctEntry(run, entry);
    },
  };
}

export function correctEntry(run: RunState, entry: StoredEntry): void {
  if (!entry.correctionPending || !entry.isCounted || entry.before === null || entry.counts === null) return;
  store(run, { ...entry, correctionPending: false });
  run.run = { ...run.run, totals: addTotals(run.run.totals, correctionOf(entry.before, entry.counts)) };
}

export function visible(stored: StoredEntry): LedgerEntry {
  const { before: _before, isCounted: _isCounted, ...entry } = stored;
  return entry;
}

function findIn(run: RunState, key: BatchKey): StoredEntry | null {
  const shelved = run.shelves.get(shelfName(key.epoch, key.window))?.entries.get(entryName(key));
  return shelved ?? run.kept.get(keptName(key)) ?? null;
}

function store(run: RunState, entry: StoredEntry): void {
  if (entry.isCounted) run.kept.set(keptName(entry.key), entry);
  else shelfOf(run, entry.key.epoch, entry.key.window).entries.set(entryName(entry.key), entry);
}

function newEntry(key: BatchKey): StoredEntry {
  return {
    key,
    attempts: 0,
    dueMs: null,
    paceEpoch: null,
    waits: 0,
    outcome: null,
    counts: null,
    finishedAtMs: null,
    correctionPending: false,
    before: null,
    isCounted: false,
  };
}
