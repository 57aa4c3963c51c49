/** The dead events that a sink keeps, for a redrive. Every method @throws SinkError */
import type { FirehoseEvent } from "@firehose-backfill/core/event";

export interface DeadEvents extends AsyncDisposable {
  /**
   * The next dead events that were not claimed since `sinceMs`, in the order of the stream; those that were never tried, or were
   * tried longest ago, come first. At most `limit`, and not many more than a few megabytes.
   */
  claim(options: {
    readonly sinceMs: number;
    readonly nowMs: number;
    readonly limit: number;
    /** Left out: of every run. */
    readonly runId?: string;
  }): Promise<readonly ClaimedEvent[]>;
  /** How many dead events cannot be tried again, because no complete event was stored. `runId`: of this run; left out: of every run. */
  countUntriable(runId?: string): Promise<number>;
}

/** A dead event that is to be tried again. */
export interface ClaimedEvent {
  readonly id: string;
  readonly runId: string;
  readonly reason: string;
  readonly event: FirehoseEvent;
}
