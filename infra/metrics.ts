/**
 * The metrics that the functions write into their log lines (embedded metric format) and that alarms and the dashboard
 * read. Names, namespace and dimensions are a contract between the two; a name that is not listed here is shown nowhere.
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
  /** Between the event's time and its being applied. */
  EndToEndLagSeconds: "Seconds",
  /** Until the relay drops what the reader would read next. Left out while its retention is not known. */
  FallsOffInSeconds: "Seconds",
  PaceWaitMs: "Milliseconds",
  LateBatches: "Count",
  MemoryRssMb: "Megabytes",
  /** Environments of the consumer that ended above their memory limit. Lambda counts each as an error. */
  EarlyExits: "Count",
  ReaderEarlyExits: "Count",
  /** How long consumers have waited for the database or for production's health. 0: they do not wait. */
  WaitingSeconds: "Seconds",
  /** How long ago the oldest batch that is not finished should have been applied. 0: none is overdue. */
  OldestDueSeconds: "Seconds",
  LeaseLost: "Count",
  RelayGaps: "Count",
} as const;

export type MetricName = keyof typeof METRICS;

/** Every metric has these two, so that stages of one account stay apart. */
export function dimensions(): { service: string; stage: string } {
  return { service: SERVICE, stage: $app.stage };
}
