/** What happened to a message, for the code that received it. */
import type { BatchCounts } from "@firehose-backfill/core/batch";

export interface MessageResult {
  /** `hidden`: the message stays in the queue, and a mapping reports it as failed. In all other cases it is removed. */
  readonly kind: "applied" | "dropped" | "hidden" | "dead-lettered";
  readonly because: string;
  readonly counts: BatchCounts | null;
  /** How long after its slot it was applied. */
  readonly paceWaitMs: number;
  readonly isLate: boolean;
  readonly applyMs: number;
}

/** The result for a message whose batch was not applied. */
export function outcome(kind: MessageResult["kind"], because: string): MessageResult {
  return { kind, because, counts: null, paceWaitMs: 0, isLate: false, applyMs: 0 };
}
