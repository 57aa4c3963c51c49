/**
 * The metrics that the functions write into their log lines (embedded metric format) and that alarms and the dashboard
 * read. Both sides depend on names, namespace and dimensions; a metric that is not listed here is shown nowhere.
 */
export const NAMESPACE = "FirehoseBackfill";
export const SERVICE = "firehose-backfill";

export const METRICS = {
  /** Frames taken from the relay. */
  FramesRead: "Count",
  EventsMatched: "Count",
  EventsEnqueued: "Count",
  EventsApplied: "Count",
  EventsStale: "Count",
  EventsDead: "Count",
  /** Between now and the event time of the reader's cursor. */
  ReaderLagSeconds: "Seconds",
  /** Between the event's time and the time when it is applied. */
  EndToEndLagSeconds: "Seconds",
  /** Until the relay drops the events that the reader would read next. Absent while the relay's retention is not known. */
  FallsOffInSeconds: "Seconds",
  PaceWaitMs: "Milliseconds",
  LateBatches: "Count",
  MemoryRssMb: "Megabytes",
  /** Environments of the consumer that ended because of their memory limit. Lambda counts each as an error. */
  EarlyExits: "Count",
  ReaderEarlyExits: "Count",
  /** How long consumers have waited for the database or for its health. 0: they do not wait. */
  WaitingSeconds: "Seconds",
  /** How long ago the oldest batch that is not finished should have been applied. 0: none is overdue. */
  OldestDueSeconds: "Seconds",
  LeaseLost: "Count",
  RelayGaps: "Count",
} as const;

export type MetricName = keyof typeof METRICS;

/** Every metric has these two dimensions, so that the stages of one account are separate. */
export function dimensions(): { service: string; stage: string } {
  return { service: SERVICE, stage: $app.stage };
}
