/** The metrics of one message. */
import type { Metrics } from "@aws-lambda-powertools/metrics";
import type { MessageResult } from "@firehose-backfill/backfill/message-result";
import type { IncomingMessage } from "@firehose-backfill/queue/types";
import { addCount, addMetric } from "./metrics.ts";

export function addBatchMetrics(
  metrics: Metrics,
  { content }: Pick<IncomingMessage, "content">,
  result: MessageResult,
  nowMs: number,
): void {
  if (result.isLate) addMetric(metrics, "LateBatches", 1);
  if (result.counts !== null) {
    addCount(metrics, "EventsApplied", result.counts.applied + (result.counts.removed ?? 0));
    addCount(metrics, "EventsStale", result.counts.stale);
    addCount(metrics, "EventsDead", result.counts.dead);
  }
  if (result.kind !== "applied" || content.kind !== "batch") return;
  addMetric(metrics, "PaceWaitMs", result.paceWaitMs);
  const newestMs = Math.max(...content.batch.events.map((event) => event.timeMs));
  if (Number.isFinite(newestMs)) addMetric(metrics, "EndToEndLagSeconds", (nowMs - newestMs) / 1000);
}
