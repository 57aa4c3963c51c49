/** What a store in memory holds: values that are replaced, never changed, so that whoever read one keeps what they read. */
import type { BatchCounts, BatchKey } from "@firehose-backfill/core/batch";
import type { ScopeSettings } from "@firehose-backfill/core/config/settings";
import { RunNotFoundError } from "../errors.ts";
import type { LedgerEntry } from "../ledger.ts";
import type { ConsumerReport, Gap, RunError } from "../notes.ts";
import type { Run } from "../run.ts";
import type { WindowItem } from "../window.ts";

export interface StoredEntry extends LedgerEntry {
  /** The counts of its first outcome, once a redrive has replaced them. */
  readonly before: BatchCounts | null;
  /** Its first counts are in the totals. */
  readonly isCounted: boolean;
}

/** A window's place: what is filed under its number, before it is swept. */
export interface WindowShelf {
  readonly epoch: number;
  readonly number: number;
  item: WindowItem | null;
  /** By fence and number. */
  readonly entries: Map<string, StoredEntry>;
}

export interface RunState {
  run: Run;
  readonly scope: ScopeSettings;
  /** How far each epoch before this one was folded when it ended. */
  readonly epochEnds: Map<number, number>;
  readonly shelves: Map<string, WindowShelf>;
  /** Dead entries of folded windows, by their whole key. */
  readonly kept: Map<string, StoredEntry>;
  errors: readonly RunError[];
  gaps: readonly Gap[];
  readonly consumers: Map<string, ConsumerReport>;
  history: string | null;
}

export interface State {
  readonly runs: Map<string, RunState>;
  /** The last run that began. */
  lastRunId: string | null;
}

export function newState(): State {
  return { runs: new Map(), lastRunId: null };
}

/** @throws RunNotFoundError */
export function stateOf(state: State, runId: string): RunState {
  const found = state.runs.get(runId);
  if (found === undefined) throw new RunNotFoundError(runId);
  return found;
}

/** The run after the change; null: there is no such run, or `condition` does not hold. */
export function changeRun(
  state: State,
  runId: string,
  condition: (run: Run) => boolean,
  change: (run: Run) => Partial<Run>,
): Run | null {
  const found = state.runs.get(runId);
  if (found === undefined || !condition(found.run)) return null;
  found.run = { ...found.run, ...change(found.run) };
  return found.run;
}

export function shelfName(epoch: number, window: number): string {
  return `${epoch}.${window}`;
}

export function shelfOf(run: RunState, epoch: number, window: number): WindowShelf {
  const name = shelfName(epoch, window);
  const found = run.shelves.get(name);
  if (found !== undefined) return found;
  const shelf: WindowShelf = { epoch, number: window, item: null, entries: new Map() };
  run.shelves.set(name, shelf);
  return shelf;
}

export function entryName(key: Pick<BatchKey, "fence" | "number">): string {
  return `${key.fence}.${key.number}`;
}

export function keptName(key: BatchKey): string {
  return `${shelfName(key.epoch, key.window)}.${entryName(key)}`;
}
