/** One call of apply(), as the parts of this package pass it on. */
import type { BatchKey } from "@firehose-backfill/core/batch";
import type { DeadRow, SinkRow } from "@firehose-backfill/sink/rows";
import type { ApplyOptions } from "@firehose-backfill/sink/sink";

export interface ApplyRequest extends ApplyOptions {
  readonly batch: BatchKey;
  readonly rows: readonly SinkRow[];
}

/** What is written to the tables of the stream: all but what is dead. */
export type DataRow = Exclude<SinkRow, DeadRow>;

/** Which dead events the rows of a batch are. */
export interface Redrive {
  /** Names the batch, and no other one of its run. */
  readonly batch: string;
  /** Of rows of `dead_events`, one a row. */
  readonly ids: readonly string[];
}

/** null: the rows come from a stream. */
export function redriveOf({ batch, deadEventIds }: ApplyRequest): Redrive | null {
  if (deadEventIds === undefined) return null;
  return { batch: `${batch.generation}/${batch.window}/${batch.fence}/${batch.number}`, ids: deadEventIds };
}
