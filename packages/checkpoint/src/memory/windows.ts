/** The reader's side in memory: lease, windows, folding, sweeping. Mirrors dynamo/lease.ts, windows.ts, fold.ts and sweep.ts. */
import { addSkipped } from "../bounds.ts";
import { BrokenStateError } from "../errors.ts";
import { addTotals, assertId, boundTick, isMoved, laterOf, movedFields } from "../run-values.ts";
import type { LedgerEntry } from "../ledger.ts";
import type { Run } from "../run.ts";
import type { CheckpointStore } from "../store.ts";
import type { Lease, OpenWindow } from "../window.ts";
import { correctEntry, visible } from "./ledger.ts";
import { changeRun, keptName, type RunState, shelfName, shelfOf, type State, type StoredEntry } from "./state.ts";

type Methods =
  | "acquireLease"
  | "renewLease"
  | "releaseLease"
  | "putWindow"
  | "moveCursor"
  | "noteStream"
  | "openWindows"
  | "fold"
  | "sweep";

export function windowMethods(state: State): Pick<CheckpointStore, Methods> {
  const isHeld = (lease: Lease) => (run: Run) => run.fence === lease.fence && run.lease?.owner === lease.owner;
  return {
    async acquireLease(runId, { owner, ttlMs, nowMs }) {
      assertId("owner", owner);
      const run = changeRun(
        state,
        runId,
        ({ lease }) => lease === null || lease.owner === owner || lease.expiresAtMs <= nowMs,
        ({ fence }) => ({ lease: { owner, expiresAtMs: nowMs + ttlMs }, fence: fence + 1 }),
      );
      return run === null ? null : { lease: { runId, owner, fence: run.fence }, run };
    },

    renewLease: async (lease, { ttlMs, nowMs }) =>
      changeRun(state, lease.runId, isHeld(lease), () => ({
        lease: { owner: lease.owner, expiresAtMs: nowMs + ttlMs },
      })) !== null,

    async releaseLease(lease, { tick, nextTickAtMs, queueEmptySinceMs }) {
      const fields = { lease: null, lastTick: boundTick(tick), nextTickAtMs, queueEmptySinceMs };
      changeRun(state, lease.runId, isHeld(lease), () => fields);
    },

    async putWindow(lease, window) {
      const run = state.runs.get(lease.runId);
      if (run === undefined) return true;
      const shelf = shelfOf(run, window.epoch, window.number);
      if (shelf.item !== null && shelf.item.fence > lease.fence) return false;
      shelf.item = { ...window, runId: lease.runId, fence: lease.fence, skipped: addSkipped({}, window.skipped) };
      return true;
    },

    async moveCursor(lease, move) {
      const after = changeRun(
        state,
        lease.runId,
        (run) =>
          run.fence === lease.fence &&
          run.epoch === move.epoch &&
          run.registered === move.window - 1 &&
          (run.readerCursor === null || run.readerCursor.seq <= move.readerCursor.seq),
        () => movedFields(move),
      );
      return after !== null || isMoved(state.runs.get(lease.runId)?.run ?? null, lease, move);
    },

    async noteStream(lease, { epoch, ...note }) {
      const isOurs = (run: Run) => run.fence === lease.fence && (epoch === undefined || run.epoch === epoch);
      return changeRun(state, lease.runId, isOurs, () => note) !== null;
    },

    openWindows: async (run, limit) => openWindows(state, run, limit),

    async fold(lease, fold) {
      const isReady = (run: Run) =>
        run.fence === lease.fence &&
        run.epoch === fold.epoch &&
        run.folded === fold.foldedBefore &&
        run.registered >= fold.folded;
      return changeRun(state, lease.runId, isReady, (run) => ({
        folded: fold.folded,
        appliedCursor: fold.appliedCursor,
        lastFinishedAtMs: laterOf(run.lastFinishedAtMs, fold.lastFinishedAtMs),
        totals: addTotals(run.totals, fold.add),
      }));
    },

    async sweep({ runId }) {
      const run = state.runs.get(runId);
      if (run !== undefined) sweepRun(run);
      return true;
    },
  };
}

function openWindows(state: State, { runId, epoch, folded, registered }: Run, limit: number): OpenWindow[] {
  const run = state.runs.get(runId);
  if (run === undefined) return [];
  const windows: OpenWindow[] = [];
  for (let number = folded + 1; number <= Math.min(registered, folded + limit); number += 1) {
    const shelf = run.shelves.get(shelfName(epoch, number));
    const item = shelf?.item ?? null;
    if (shelf !== undefined && item !== null) windows.push({ window: item, entries: ownEntries(shelf, item.fence) });
    else if (!isFolded(run, epoch, number) && run.run.epoch === epoch)
      throw new BrokenStateError(`window ${number} of run ${runId} is registered and not there`);
  }
  return windows;
}

function ownEntries(shelf: { readonly entries: Map<string, StoredEntry> }, fence: number): LedgerEntry[] {
  return [...shelf.entries.values()]
    .filter(({ key }) => key.fence === fence)
    .sort((a, b) => a.key.number - b.key.number)
    .map((stored) => {
      const entry = visible(stored);
      return stored.before === null ? entry : { ...entry, outcome: "dead", counts: stored.before };
    });
}

/** Clears the shelves of folded and of dropped windows; what is dead and counted is kept. */
export function sweepRun(run: RunState): void {
  for (const [name, shelf] of run.shelves) {
    const isPast = shelf.epoch < run.run.epoch || shelf.number <= run.run.folded;
    if (!isPast) continue;
    run.shelves.delete(name);
    if (!isFolded(run, shelf.epoch, shelf.number)) continue;
    for (const entry of shelf.entries.values()) {
      if (entry.key.fence !== shelf.item?.fence) continue;
      if (entry.outcome !== "dead" && !entry.correctionPending) continue;
      const counted = { ...entry, isCounted: true };
      run.kept.set(keptName(entry.key), counted);
      correctEntry(run, counted);
    }
  }
}

function isFolded(run: RunState, epoch: number, window: number): boolean {
  return window <= (epoch === run.run.epoch ? run.run.folded : (run.epochEnds.get(epoch) ?? 0));
}
