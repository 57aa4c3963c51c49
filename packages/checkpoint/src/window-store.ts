/** What the reader has read: windows, the cursor that registers them, and the move of the applied cursor that adds their results to the run. */
import type { Cursor } from "@firehose-backfill/source/cursor";
import type { SourceProgress, SourceState } from "@firehose-backfill/source/window";
import type { Run } from "./run.ts";
import type { CursorMove, AppliedMove, Lease, OpenWindow, WindowItem } from "./window.ts";

export interface WindowStore {
  /** false: refused, because there is an item of a higher fence. */
  putWindow(lease: Lease, window: WindowItem): Promise<boolean>;
  /**
   * Registers the window. Already there: true. false: the fence, the generation or
   * the number moved on. @throws BrokenStateError where the cursor would go back within its generation
   */
  moveCursor(lease: Lease, move: CursorMove): Promise<boolean>;
  /**
   * What the reader learned without a window to register: where the run ends, what the source remembers. false: lost. With `generation` also when that is not the run's any more; always give it with a target,
   * which means nothing in another generation.
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
   * redriven before their window was counted. Safe to repeat; bounded work per call. true: nothing is left to do.
   */
  sweep(run: Run): Promise<boolean>;
}
