/**
 * The figures that the dashboard draws from the log: fields of the reader's line of a tick, and of the consumer's line of a batch.
 * A field costs the bytes that it takes; as metrics, these would cost more than all requests of a run. The names must agree with
 * infra/metrics.ts; a test compares them.
 */
import type { MessageResult } from "@firehose-backfill/backfill/message-result";
import type { IncomingMessage } from "@firehose-backfill/queue/types";

export const FIGURES = [
  "framesRead",
  "eventsMatched",
  "eventsEnqueued",
  "relayGaps",
  "leaseLost",
  "readerLagSeconds",
  "eventsApplied",
  "eventsStale",
  "eventsDead",
  "lateBatches",
  "paceWaitMs",
  "endToEndLagSeconds",
  "memoryRssMb",
] as const;

export type Figures = Partial<Readonly<Record<(typeof FIGURES)[number], number>>>;

/** Of one message. Most batches have no stale and no dead events, so a zero is left out. */
export function figuresOfBatch(
  { content }: Pick<IncomingMessage, "content">,
  result: MessageResult,
  nowMs: number,
): Figures {
  const { counts, isLate } = result;
  const figures: Figures = {
    ...(counts === null ? {} : positive("eventsApplied", counts.applied + (counts.removed ?? 0))),
    ...(counts === null ? {} : positive("eventsStale", counts.stale)),
    ...(counts === null ? {} : positive("eventsDead", counts.dead)),
    ...(isLate ? { lateBatches: 1 } : {}),
  };
  if (result.kind !== "applied" || content.kind !== "batch") return figures;
  const newestMs = Math.max(...content.batch.events.map((event) => event.timeMs));
  return {
    ...figures,
    paceWaitMs: Math.round(result.paceWaitMs),
    ...(Number.isFinite(newestMs) ? { endToEndLagSeconds: Math.round((nowMs - newestMs) / 1000) } : {}),
  };
}

function positive(name: keyof Figures, value: number): Figures {
  return value > 0 ? { [name]: value } : {};
}
