/** One call of apply(), in the form that the parts of this package share. */
import type { BatchKey } from "@firehose-backfill/core/batch";
import type { DeadRow, SinkRow } from "@firehose-backfill/sink/rows";
import type { ApplyOptions } from "@firehose-backfill/sink/sink";

export interface ApplyRequest extends ApplyOptions {
  readonly batch: BatchKey;
  readonly rows: readonly SinkRow[];
}

/** Where rows of the stream are written: everything but dead events. */
export type DataRow = Exclude<SinkRow, DeadRow>;

/** Which dead events the rows of a batch are. */
export interface Redrive {
  /** The batch's name, unique within its run. */
  readonly batch: string;
  /** Ids of rows of `dead_events`, one for each row. */
  readonly ids: readonly string[];
}

/** null: the rows come from a stream. */
export function redriveOf({ batch, deadEventIds }: ApplyRequest): Redrive | null {
  if (deadEventIds === undefined) return null;
  return { batch: `${batch.generation}/${batch.window}/${batch.fence}/${batch.number}`, ids: deadEventIds };
}
