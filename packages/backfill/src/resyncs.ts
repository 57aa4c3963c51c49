/** What serves requests for resyncs, as a tick sees it. */
import type { ResyncStore } from "@firehose-backfill/checkpoint/resync-store";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import type { Clock } from "@firehose-backfill/core/clock";

export interface ResyncDeps {
  readonly store: ResyncStore & RunStore;
  readonly clock: Clock;
  /** Returns 0 to 1. */
  readonly random: () => number;
  readonly log: (line: string) => void;
}

export interface ServeResyncs {
  /** Begins a run where there is something to serve. null: there is not, or it is not time to look. */
  look(deps: ResyncDeps, open: readonly Run[]): Promise<Run | null>;
}
