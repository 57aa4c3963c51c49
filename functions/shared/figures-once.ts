/** The queue of one tick: its figures are asked for once, though the tick and the snapshot after it both use them. */
import type { BatchQueue, QueueFigures } from "@firehose-backfill/queue/types";

export function withFiguresOnce(queue: BatchQueue): BatchQueue {
  let figures: Promise<QueueFigures> | null = null;
  return { ...queue, figures: () => (figures ??= queue.figures()) };
}
