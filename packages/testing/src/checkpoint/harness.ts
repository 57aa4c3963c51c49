/** The parameters of the suite of a CheckpointStore, and helpers that create test data. */
import type { BatchCounts, BatchKey } from "@firehose-backfill/core/batch";
import { type Cursor, cursorAt } from "@firehose-backfill/source/cursor";
import type { LedgerEntry } from "@firehose-backfill/checkpoint/ledger";
import type { NewRun, Run, RunTotals } from "@firehose-backfill/checkpoint/run";
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";
import type { CursorMove, AppliedMove, Lease, WindowItem } from "@firehose-backfill/checkpoint/window";

export interface Harness {
  /** Creates an empty store for one test. */
  readonly open: () => Promise<CheckpointStore>;
  /** Creates an empty store for several simulated processes. Each gets its own connection, whose steps can be ordered and interrupted. */
  readonly openShared: () => Promise<Connect>;
  /** Each write is sent twice, as the SDK does if an answer is lost. Plain counters may then count twice. */
  readonly isToldTwice: boolean;
  /** With how many random histories a property is tested. */
  readonly histories: number;
  /** The invariants are checked at every nth step of a history. */
  readonly looksEvery: number;
}

export type Connect = (step?: Step) => CheckpointStore;

/** Wraps each step of a store (a call in memory, or a request to DynamoDB). If it throws, that is a crash. */
export type Step = <T>(work: () => Promise<T>) => Promise<T>;

export const RUN = "run-1";
export const NOW = 1_760_000_000_000;
export const OWNER = "reader-a";
export const COUNTS: BatchCounts = { applied: 4, stale: 1, dead: 0 };
export const DEAD: BatchCounts = { applied: 0, stale: 0, dead: 5 };

export function aRun(changes: Partial<NewRun> = {}): NewRun {
  return {
    runId: RUN,
    about: "posts of a day",
    source: { kind: "relay", host: "relay.example:443" },
    profile: "background",
    throttle: {
      batchSize: 5,
      batchDelayMs: 2000,
      maxConcurrent: 2,
      maxMemoryMb: 512,
      useIdle: true,
      dbPoolSize: 2,
      memoryCheckInterval: 100,
    },
    scope: { relayUrl: "wss://relay.example", days: 1, collections: ["app.bsky.feed.*"], dids: [], verify: "hash" },
    sources: { batchSize: "profile", days: "flag", verify: "default" },
    start: { kind: "time", timeMs: NOW - 86_400_000 },
    end: { kind: "caught-up" },
    createdAtMs: NOW,
    status: "running",
    ...changes,
  };
}

/** A run and its lease. */
export async function leased(store: CheckpointStore, run: Partial<NewRun> = {}): Promise<{ lease: Lease; run: Run }> {
  const created = await store.createRun(aRun(run));
  return take(store, { runId: created.runId });
}

export async function take(
  store: CheckpointStore,
  options: { runId?: string; owner?: string; nowMs?: number; ttlMs?: number } = {},
): Promise<{ lease: Lease; run: Run }> {
  const { runId = RUN, owner = OWNER, nowMs = NOW, ttlMs = 60_000 } = options;
  const got = await store.acquireLease(runId, { owner, ttlMs, nowMs });
  if (got === null) throw new Error(`${owner} did not get the lease`);
  return got;
}

export async function theRun(store: CheckpointStore, runId = RUN): Promise<Run> {
  const run = await store.getRun(runId);
  if (run === null) throw new Error(`no run ${runId}`);
  return run;
}

export function aWindow(lease: Lease, changes: Partial<WindowItem> = {}): WindowItem {
  const number = changes.number ?? 1;
  return {
    runId: lease.runId,
    generation: 1,
    number,
    fence: lease.fence,
    from: number === 1 ? null : positionOf(number - 1),
    to: positionOf(number),
    batches: 2,
    events: 10,
    bytes: 5000,
    sentAtMs: NOW,
    lastDueMs: NOW + 1_000.5,
    received: 14,
    skipped: { collection: 4 },
    ...changes,
  };
}

/** Returns window N, which ends at sequence number 100 N. */
export function positionOf(window: number): Cursor {
  return cursorAt(window * 100, NOW + window * 1000);
}

/** A source's state, as it is read from the attributes in written-items.json. */
export const STATE = JSON.stringify([true, true, 0, "QnmcgswAUAD////7AAAAAA=="]);

export function aMove(window: number, changes: Partial<CursorMove> = {}): CursorMove {
  return {
    window,
    generation: 1,
    readerCursor: positionOf(window),
    startPosition: positionOf(0),
    sourceState: STATE,
    target: null,
    keptSinceMs: null,
    ...changes,
  };
}

/** Moves the applied cursor past the first window. */
export function anAppliedMove(add: RunTotals, changes: Partial<AppliedMove> = {}): AppliedMove {
  return {
    generation: 1,
    appliedWindowBefore: 0,
    appliedWindow: 1,
    appliedCursor: positionOf(1),
    lastFinishedAtMs: NOW,
    add,
    ...changes,
  };
}

/** Writes and registers a window. */
export async function register(
  store: CheckpointStore,
  lease: Lease,
  changes: Partial<WindowItem> = {},
): Promise<WindowItem> {
  const window = aWindow(lease, changes);
  const isPut = await store.putWindow(lease, window);
  const isMoved = await store.moveCursor(
    lease,
    aMove(window.number, { generation: window.generation, readerCursor: window.to }),
  );
  if (!isPut || !isMoved) throw new Error(`window ${window.number} was refused`);
  return window;
}

export function keyOf(window: WindowItem, number: number): BatchKey {
  return { runId: window.runId, generation: window.generation, window: window.number, fence: window.fence, number };
}

export function finish(
  store: CheckpointStore,
  key: BatchKey,
  outcome: "applied" | "dead" = "applied",
  options: { counts?: BatchCounts; redriven?: boolean } = {},
): Promise<LedgerEntry> {
  const counts = options.counts ?? (outcome === "applied" ? COUNTS : DEAD);
  return store.finish(key, outcome, counts, { nowMs: NOW, redriven: options.redriven ?? false });
}

/** Registers window `number`, finishes its two batches with the given outcomes, and moves the applied cursor. */
export async function finishOne(
  store: CheckpointStore,
  lease: Lease,
  number: number,
  outcomes: readonly ["applied" | "dead", "applied" | "dead"] = ["applied", "applied"],
  generation = 1,
): Promise<WindowItem> {
  const window = await register(store, lease, { number, generation });
  for (const [batch, outcome] of outcomes.entries()) await finish(store, keyOf(window, batch), outcome);
  await advanceAll(store, lease);
  return window;
}

/** Moves the applied cursor past the first complete windows, as the reader does. */
export async function advanceAll(store: CheckpointStore, lease: Lease): Promise<Run | null> {
  const run = await theRun(store, lease.runId);
  let { appliedWindow } = run;
  let appliedCursor = run.appliedCursor;
  const add = {
    received: 0,
    processed: 0,
    stale: 0,
    dead: 0,
    deadReasons: {} as Record<string, number>,
    skipped: {} as Record<string, number>,
  };
  for (const { window, entries } of await store.openWindows(run, 100)) {
    const counts = entries.flatMap((entry) => (entry.counts === null ? [] : [entry.counts]));
    if (window.number !== appliedWindow + 1 || counts.length < window.batches) break;
    appliedWindow = window.number;
    appliedCursor = window.to;
    add.received += window.received;
    for (const [reason, count] of Object.entries(window.skipped))
      add.skipped[reason] = (add.skipped[reason] ?? 0) + count;
    for (const count of counts) {
      add.processed += count.applied + count.stale;
      add.stale += count.stale;
      add.dead += count.dead;
      for (const [reason, n] of Object.entries(count.deadReasons ?? {}))
        add.deadReasons[reason] = (add.deadReasons[reason] ?? 0) + n;
    }
  }
  if (appliedCursor === null || appliedWindow === run.appliedWindow) return run;
  return store.moveApplied(lease, {
    generation: run.generation,
    appliedWindowBefore: run.appliedWindow,
    appliedWindow,
    appliedCursor,
    lastFinishedAtMs: null,
    add,
  });
}
