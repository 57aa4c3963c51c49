/** The reader's side: its lease, the windows it registers, and the counts that the applied cursor adds to the run. */
import type { LedgerEntry } from "./ledger.ts";
import type { RunTotals } from "./run.ts";
import type { Cursor } from "@firehose-backfill/source/cursor";
import type { SourceProgress, SourceState } from "@firehose-backfill/source/window";

/** Proof that this process is the one reader. Every fenced write has it. */
export interface Lease {
  readonly runId: string;
  readonly owner: string;
  readonly fence: number;
}

/** The data of a window, which the reader writes before its cursor moves. */
export interface WindowItem {
  readonly runId: string;
  readonly generation: number;
  readonly number: number;
  readonly fence: number;
  /** null: the window was the first of the run. */
  readonly from: Cursor | null;
  readonly to: Cursor;
  /** How many messages were sent for it, and how many events they contain. */
  readonly batches: number;
  readonly events: number;
  /** Encoded bytes of its messages; limits what is outstanding if there is no pace. */
  readonly bytes: number;
  readonly sentAtMs: number;
  /** The planned slot of its last batch. Absent: an older program has written it, or it has no batches. */
  readonly lastDueMs?: number;
  readonly received: number;
  readonly skipped: Readonly<Record<string, number>>;
}

/** A registered window after the applied cursor, and the results of its batches. */
export interface OpenWindow {
  readonly window: WindowItem;
  /**
   * Only entries with the window's own fence, each with its first outcome: an entry that a redrive has changed to applied is
   * still dead here, because moving the applied cursor adds the first outcome, and only `correct` adds the difference.
   */
  readonly entries: readonly LedgerEntry[];
}

/** The cursor move that registers a window. Valid only if the fence is ours, the generation the same and `registered = window - 1`. */
export interface CursorMove {
  readonly window: number;
  readonly generation: number;
  readonly readerCursor: Cursor;
  readonly startPosition: Cursor | null;
  readonly sourceState: SourceState | null;
  readonly target: Cursor | null;
  readonly keptSinceMs: number | null;
  /** Left out: the source does not count so. */
  readonly progress?: SourceProgress;
}

/** What moving the applied cursor adds. Valid only if the fence is ours, the generation is the same and `appliedWindow` is unchanged since the read. */
export interface AppliedMove {
  readonly generation: number;
  readonly appliedWindowBefore: number;
  readonly appliedWindow: number;
  readonly appliedCursor: Cursor;
  /** When the last batch of these windows ended; null: they have no batches. */
  readonly lastFinishedAtMs: number | null;
  readonly add: RunTotals;
}
