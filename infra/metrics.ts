/**
 * What the functions write for alarms and the dashboard. Metrics, in the embedded format of their log lines, are only those
 * that alarms watch, and only near an alarm, because each is billed by the hour in which it is written. The dashboard draws everything
 * else from fields of the log lines. Both sides depend on these names; what is not listed here is shown nowhere.
 */
export const NAMESPACE = "FirehoseBackfill";
export const SERVICE = "firehose-backfill";

export const METRICS = {
  /** Until the relay drops the events that the reader would read next. Absent while the relay's retention is not known. */
  FallsOffInSeconds: "Seconds",
  /** Environments of the consumer that ended because of their memory limit. Lambda counts each as an error. */
  EarlyExits: "Count",
  ReaderEarlyExits: "Count",
  /** How long consumers have waited for the database or for its health. */
  WaitingSeconds: "Seconds",
  /** How long ago the oldest batch that is not finished should have been applied. */
  OldestDueSeconds: "Seconds",
} as const;

/** Fields of log lines: once a tick, or once a batch. */
export const FIGURES = [
  /** Frames taken from the relay. */
  "framesRead",
  "eventsMatched",
  "eventsEnqueued",
  "relayGaps",
  "leaseLost",
  /** Between now and the event time of the reader's cursor. */
  "readerLagSeconds",
  "eventsApplied",
  "eventsStale",
  "eventsDead",
  "lateBatches",
  "paceWaitMs",
  /** Between the event's time and the time when it is applied. */
  "endToEndLagSeconds",
  "memoryRssMb",
] as const;

export type FigureName = (typeof FIGURES)[number];

export type MetricName = keyof typeof METRICS;

/** Every metric has these two dimensions, so that the stages of one account are separate. */
export function dimensions(): { service: string; stage: string } {
  return { service: SERVICE, stage: $app.stage };
}
