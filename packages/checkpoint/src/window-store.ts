/** What the reader stores: windows, the cursor that registers them, and the move of the applied cursor that adds their results to the run. */
import type { Cursor } from "@firehose-backfill/source/cursor";
import type { SourceProgress, SourceState } from "@firehose-backfill/source/window";
import type { Run } from "./run.ts";
import type { CursorMove, AppliedMove, Lease, OpenWindow, WindowItem } from "./window.ts";

export interface WindowStore {
  /** false: refused, because there is an item with a higher fence. */
  putWindow(lease: Lease, window: WindowItem): Promise<boolean>;
  /**
   * Registers the window. true also if it is already registered. false: the fence, the generation or the number has
   * changed. @throws BrokenStateError if the cursor would go back within its generation
   */
  moveCursor(lease: Lease, move: CursorMove): Promise<boolean>;
  /**
   * Stores what the reader learned without a window: where the run ends, the source state. false: the lease is lost, or `generation` is given and
   * is not the run's any more. Always give it with a target, which has no meaning in another generation.
   */
  noteStream(
    lease: Lease,
    note: {
      readonly generation?: number;
      readonly target?: Cursor;
      readonly sourceState?: SourceState;
      readonly progress?: SourceProgress;
    },
  ): Promise<boolean>;
  /** The registered, unapplied windows in order, at most `limit`. */
  openWindows(run: Run, limit: number): Promise<readonly OpenWindow[]>;
  moveApplied(lease: Lease, move: AppliedMove): Promise<Run | null>;
  /**
   * Removes items of windows up to the applied cursor, but keeps dead entries (30 days), and corrects those that were
   * redriven before their window was counted. Safe to repeat; each call does a limited amount of work. true: nothing is left to do.
   */
  sweep(run: Run): Promise<boolean>;
}
