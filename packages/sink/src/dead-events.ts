/** The dead events that a sink keeps, as a redrive needs them. Every method @throws SinkError */
import type { FirehoseEvent } from "@firehose-backfill/core/event";

export interface DeadEvents extends AsyncDisposable {
  /**
   * The next ones that are still dead and were not claimed since `sinceMs`, in the order of the stream, those first that
   * were tried longest ago or never: at most `limit`, and not many more than a few megabytes.
   */
  claim(options: {
    readonly sinceMs: number;
    readonly nowMs: number;
    readonly limit: number;
  }): Promise<readonly ClaimedEvent[]>;
  /** How many are still dead of which nothing was kept that could be tried again. */
  countUntriable(): Promise<number>;
}

/** A dead event that is to be tried again. */
export interface ClaimedEvent {
  readonly id: string;
  readonly runId: string;
  readonly reason: string;
  readonly event: FirehoseEvent;
}
