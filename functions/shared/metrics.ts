/**
 * The metrics that alarms and the dashboard read, with their units. Names, namespace and dimensions must agree with
 * infra/metrics.ts; a test compares them.
 */
import { MetricUnit, type Metrics } from "@aws-lambda-powertools/metrics";

export const NAMESPACE = "FirehoseBackfill";
export const SERVICE = "firehose-backfill";

export const METRICS = {
  FramesRead: MetricUnit.Count,
  EventsMatched: MetricUnit.Count,
  EventsEnqueued: MetricUnit.Count,
  EventsApplied: MetricUnit.Count,
  EventsStale: MetricUnit.Count,
  EventsDead: MetricUnit.Count,
  ReaderLagSeconds: MetricUnit.Seconds,
  EndToEndLagSeconds: MetricUnit.Seconds,
  FallsOffInSeconds: MetricUnit.Seconds,
  PaceWaitMs: MetricUnit.Milliseconds,
  LateBatches: MetricUnit.Count,
  MemoryRssMb: MetricUnit.Megabytes,
  EarlyExits: MetricUnit.Count,
  ReaderEarlyExits: MetricUnit.Count,
  WaitingSeconds: MetricUnit.Seconds,
  OldestDueSeconds: MetricUnit.Seconds,
  LeaseLost: MetricUnit.Count,
  RelayGaps: MetricUnit.Count,
} as const;

export type MetricName = keyof typeof METRICS;

export function addMetric(metrics: Metrics, name: MetricName, value: number): void {
  metrics.addMetric(name, METRICS[name], value);
}

/** A sum of zero is not written; most batches have no stale and no dead events. */
export function addCount(metrics: Metrics, name: MetricName, value: number): void {
  if (value > 0) addMetric(metrics, name, value);
}
