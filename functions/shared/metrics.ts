/**
 * The metrics that alarms watch, with their units, and when they are written: AWS bills a metric for each hour in which it is
 * written, so an undisturbed run writes none. Everything else is a figure in the log (figures.ts). Names, namespace
 * and dimensions must agree with infra/metrics.ts; a test compares them.
 */
import { MetricUnit, type Metrics } from "@aws-lambda-powertools/metrics";

export const NAMESPACE = "FirehoseBackfill";
export const SERVICE = "firehose-backfill";

export const METRICS = {
  FallsOffInSeconds: MetricUnit.Seconds,
  EarlyExits: MetricUnit.Count,
  ReaderEarlyExits: MetricUnit.Count,
  WaitingSeconds: MetricUnit.Seconds,
  OldestDueSeconds: MetricUnit.Seconds,
} as const;

export type MetricName = keyof typeof METRICS;

export function addMetric(metrics: Metrics, name: MetricName, value: number): void {
  metrics.addMetric(name, METRICS[name], value);
}

/**
 * From here on a figure comes near its alarm, and is written each minute until it is away from it again. Where nothing is
 * written, the alarm takes it as being well. Each is far enough from the alarm's threshold, which a test compares.
 */
export const WRITTEN_FROM = {
  WaitingSeconds: 300,
  OldestDueSeconds: 300,
  /** And below. */
  FallsOffInSeconds: 12 * 3600,
} as const;

export interface Trouble {
  readonly waitingSeconds: number;
  readonly oldestDueSeconds?: number;
  readonly fallsOffInSeconds?: number;
}

export function addTrouble(metrics: Metrics, trouble: Trouble): void {
  const { waitingSeconds, oldestDueSeconds = 0, fallsOffInSeconds = Number.POSITIVE_INFINITY } = trouble;
  if (waitingSeconds >= WRITTEN_FROM.WaitingSeconds) addMetric(metrics, "WaitingSeconds", waitingSeconds);
  if (oldestDueSeconds >= WRITTEN_FROM.OldestDueSeconds) addMetric(metrics, "OldestDueSeconds", oldestDueSeconds);
  if (fallsOffInSeconds <= WRITTEN_FROM.FallsOffInSeconds) addMetric(metrics, "FallsOffInSeconds", fallsOffInSeconds);
}
