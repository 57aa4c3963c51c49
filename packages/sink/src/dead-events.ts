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
  }): Promise<readonly ClaimedEvent[]>;
  /** How many dead events cannot be tried again, because no complete event was stored. */
  countUntriable(): Promise<number>;
  /** Those of them that are a repository that could not be read: another walk tries it again. */
  failedRepositories(): Promise<FailedRepositories>;
}

export interface FailedRepositories {
  /** Dead events; one account may have several. */
  readonly entries: number;
  /** In order; at most `MOST_FAILED_DIDS`. */
  readonly dids: readonly string[];
}

/** What fits into an answer. */
export const MOST_FAILED_DIDS = 50;

/** A dead event that is to be tried again. */
export interface ClaimedEvent {
  readonly id: string;
  readonly runId: string;
  readonly reason: string;
  readonly event: FirehoseEvent;
}
