/** The reader's side: its lease, the windows it registers, and what advancing the applied cursor adds to the run. */
import type { LedgerEntry } from "./ledger.ts";
import type { RunTotals } from "./run.ts";
import type { Cursor } from "@firehose-backfill/source/cursor";
import type { SourceProgress, SourceState } from "@firehose-backfill/source/window";

/** Proof that this process is the one reader. Carried by every fenced write. */
export interface Lease {
  readonly runId: string;
  readonly owner: string;
  readonly fence: number;
}

/** What a window was, written by the reader before its cursor moves. */
export interface WindowItem {
  readonly runId: string;
  readonly generation: number;
  readonly number: number;
  readonly fence: number;
  /** null: the window was the first of the run. */
  readonly from: Cursor | null;
  readonly to: Cursor;
  /** How many messages were sent for it, and how many events they hold. */
  readonly batches: number;
  readonly events: number;
  /** Encoded bytes of its messages; bounds what is outstanding when nothing paces the run. */
  readonly bytes: number;
  readonly sentAtMs: number;
  /** The slot of its last batch, as it was planned. Left out: an older program has written it, or it has no batches. */
  readonly lastDueMs?: number;
  readonly received: number;
  readonly skipped: Readonly<Record<string, number>>;
}

/** A registered window after the applied cursor and what its batches say. */
export interface OpenWindow {
  readonly window: WindowItem;
  /**
   * Only entries of the window's own fence, each with its first outcome: one that a redrive has turned into applied
   * still reads as dead here, because moving the applied cursor adds the first outcome, and only `correct` adds the difference.
   */
  readonly entries: readonly LedgerEntry[];
}

/** The cursor move that registers a window. Applied only if the fence is ours, the generation the same and `registered = window - 1`. */
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

/** What moving the applied cursor adds. Applied only if the fence is ours, the generation is the same and `appliedWindow` is still what was read. */
export interface AppliedMove {
  readonly generation: number;
  readonly appliedWindowBefore: number;
  readonly appliedWindow: number;
  readonly appliedCursor: Cursor;
  /** When the last batch of these windows ended; null: there was none among them. */
  readonly lastFinishedAtMs: number | null;
  readonly add: RunTotals;
}
