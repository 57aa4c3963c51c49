/**
 * The CloudWatch dashboard. From the top, like the status page: how fast, how far, what went wrong, then the
 * resources. The functions' own figures are drawn from their log lines, which costs nothing until somebody looks. Values from the
 * run item (status, settings, target) are on the status page only.
 */
import { dimensions, type FigureName, type MetricName, NAMESPACE } from "./metrics.ts";
import { functionName, stageName } from "./names.ts";

export interface DashboardOptions {
  readonly isWanted: boolean;
  readonly work: sst.aws.Queue;
  readonly deadLetters: sst.aws.Queue;
  readonly reader: sst.aws.Function;
  readonly consumer: sst.aws.Function;
  readonly control: sst.aws.Function;
  readonly alarms: readonly aws.cloudwatch.MetricAlarm[];
}

/** Values that must be known before the body is written. */
interface Facts {
  readonly region: string;
  readonly work: string;
  readonly deadLetters: string;
  readonly reader: string;
  readonly consumer: string;
  readonly readerLogs: string;
  readonly consumerLogs: string;
  readonly alarmArns: readonly string[];
}

type Widget = { type: string; properties: Record<string, unknown> };
/** Namespace, metric, dimensions and how to draw it; or an expression over other lines. */
type Line = readonly (string | Readonly<Record<string, unknown>>)[];

const COLUMNS = 24;
const MINUTE = 60;
/** Of graphs that are drawn from log lines: a query answers with 10,000 points at most, which are 34 days of these. */
const BIN_SECONDS = 300;

/** null: none is wanted. */
export function createDashboard(options: DashboardOptions): aws.cloudwatch.Dashboard | null {
  if (!options.isWanted) return null;
  const facts = $resolve({
    region: aws.getRegionOutput({}).region,
    work: options.work.nodes.queue.name,
    deadLetters: options.deadLetters.nodes.queue.name,
    reader: options.reader.name,
    consumer: options.consumer.name,
    readerLogs: options.reader.nodes.function.loggingConfig.logGroup,
    consumerLogs: options.consumer.nodes.function.loggingConfig.logGroup,
    alarmArns: options.alarms.map((alarm) => alarm.arn),
  });
  return new aws.cloudwatch.Dashboard("Dashboard", {
    dashboardName: stageName("status"),
    dashboardBody: facts.apply((resolved) => JSON.stringify({ widgets: layOut(rowsOf(resolved as Facts)) })),
  });
}

/** From the top; each row has a height, and its widgets share the width. */
function rowsOf(facts: Facts): { height: number; widgets: Widget[] }[] {
  const graph = (title: string, lines: Line[], more: Record<string, unknown> = {}): Widget => ({
    type: "metric",
    properties: { title, view: "timeSeries", region: facts.region, period: MINUTE, metrics: lines, ...more },
  });
  const both = [facts.readerLogs, facts.consumerLogs];
  const fromLogs = (title: string, view: "table" | "timeSeries", figures: readonly string[]): Widget => ({
    type: "log",
    properties: {
      title,
      region: facts.region,
      view,
      query: `${sourcesOf(both)} | stats ${figures.join(", ")}${view === "timeSeries" ? ` by bin(${BIN_SECONDS}s)` : ""}`,
    },
  });

  return [
    { height: 3, widgets: [heading()] },
    {
      height: 4,
      widgets: [
        fromLogs("Events in the period shown", "table", [
          figure("sum", "eventsMatched", "matched"),
          figure("sum", "eventsApplied", "applied"),
          figure("sum", "eventsStale", "stale"),
          figure("sum", "eventsDead", "dead_events"),
          figure("sum", "framesRead", "frames_read"),
        ]),
        { type: "alarm", properties: { title: "Alarms", alarms: facts.alarmArns } },
      ],
    },
    {
      height: 6,
      widgets: [
        fromLogs("Rate (events/s)", "timeSeries", [
          perSecond("eventsApplied", "applied"),
          perSecond("eventsEnqueued", "enqueued"),
        ]),
        fromLogs("Behind (s)", "timeSeries", [
          figure("max", "readerLagSeconds", "reader"),
          figure("max", "endToEndLagSeconds", "applied"),
          "min(fallsOffInSeconds) as until_the_relay_drops_it",
        ]),
        fromLogs("Pace", "timeSeries", [
          figure("sum", "lateBatches", "batches_that_took_a_new_slot"),
          figure("avg", "paceWaitMs", "wait_for_the_slot_ms"),
        ]),
      ],
    },
    {
      height: 6,
      widgets: [
        graph("Queue", [
          queue(facts.work, "ApproximateNumberOfMessagesVisible", "ready"),
          queue(facts.work, "ApproximateNumberOfMessagesNotVisible", "in flight or hidden"),
          queue(facts.work, "ApproximateNumberOfMessagesDelayed", "delayed"),
          queue(facts.deadLetters, "ApproximateNumberOfMessagesVisible", "dead letters"),
        ]),
        graph("Near an alarm (s)", [
          own("OldestDueSeconds", "Maximum", "oldest batch overdue"),
          own("WaitingSeconds", "Maximum", "waiting"),
          own("FallsOffInSeconds", "Minimum", "until the relay drops what comes next"),
          queue(facts.work, "ApproximateAgeOfOldestMessage", "age that SQS gives"),
        ]),
        graph("Recycled", [
          own("EarlyExits", "Sum", "consumers recycled"),
          own("ReaderEarlyExits", "Sum", "readers recycled"),
        ]),
      ],
    },
    {
      height: 6,
      widgets: [
        graph("Consumers", [
          lambda(facts.consumer, "ConcurrentExecutions", "Maximum", "at once"),
          lambda(facts.consumer, "Throttles", "Sum", "throttled"),
          lambda(facts.consumer, "Errors", "Sum", "errors"),
        ]),
        graph("Ticks", [
          lambda(facts.reader, "Invocations", "Sum", "ticks"),
          lambda(facts.reader, "Errors", "Sum", "errors"),
        ]),
        graph("Duration (ms)", [
          lambda(facts.reader, "Duration", "Average", "tick"),
          lambda(facts.consumer, "Duration", "Average", "batch"),
        ]),
      ],
    },
    {
      height: 6,
      widgets: [
        fromLogs("Memory (MB)", "timeSeries", [figure("max", "memoryRssMb", "rss")]),
        fromLogs("Rare in ticks", "timeSeries", [
          figure("sum", "leaseLost", "lease_lost"),
          figure("sum", "relayGaps", "gaps"),
        ]),
      ],
    },
    { height: 5, widgets: [runs(facts)] },
    { height: 6, widgets: [recentErrors(facts)] },
  ];
}

function heading(): Widget {
  const control = functionName("control");
  return {
    type: "text",
    properties: {
      markdown: [
        `# firehose-backfill, stage ${$app.stage}`,
        `State, progress, settings and gaps: \`firehose-backfill page --function ${functionName("status")}\`.`,
        `Pause, resume, tune: the Test menu of \`${control}\`, or \`firehose-backfill pause --function ${control}\`.`,
      ].join("\n"),
    },
  };
}

/** The metrics have no dimension for the run. What an alarm is about is in the fields of the reader's log lines, one line a run a tick. */
function runs(facts: Facts): Widget {
  const latest = {
    name: "runName",
    state: "status",
    applied: "processed",
    dead_events: "dead",
    rate: "ratePerSecond",
    waits_for: "waitingFor",
    overdue_s: "oldestDueSeconds",
    falls_off_in_s: "fallsOffInSeconds",
    last_tick: "endedBecause",
  };
  const columns = Object.entries(latest).map(([column, field]) => `latest(${field}) as ${column}`);
  return {
    type: "log",
    properties: {
      title: "Runs, as their last ticks said",
      region: facts.region,
      view: "table",
      query: `SOURCE '${facts.readerLogs}' | filter ispresent(runId) and ispresent(processed) | stats ${columns.join(", ")} by runId | sort runId desc | limit 20`,
    },
  };
}

function recentErrors(facts: Facts): Widget {
  const sources = sourcesOf([facts.readerLogs, facts.consumerLogs]);
  return {
    type: "log",
    properties: {
      title: "Last errors",
      region: facts.region,
      view: "table",
      query: `${sources} | fields @timestamp, level, message, error.message | filter level in ["WARN", "ERROR"] | sort @timestamp desc | limit 20`,
    },
  };
}

function own(name: MetricName, stat: string, label: string): Line {
  return [NAMESPACE, name, ...Object.entries(dimensions()).flat(), { stat, label }];
}

/** One column of a query over log lines. */
function figure(how: "sum" | "max" | "avg", name: FigureName, label: string): string {
  return `${how}(${name}) as ${label}`;
}

function perSecond(name: FigureName, label: string): string {
  return `sum(${name}) / ${BIN_SECONDS} as ${label}`;
}

function sourcesOf(logGroups: readonly string[]): string {
  return logGroups.map((name) => `SOURCE '${name}'`).join(" | ");
}

function queue(name: string, metric: string, label: string): Line {
  return ["AWS/SQS", metric, "QueueName", name, { stat: "Maximum", label }];
}

function lambda(name: string, metric: string, stat: string, label: string): Line {
  return ["AWS/Lambda", metric, "FunctionName", name, { stat, label }];
}

function layOut(rows: { height: number; widgets: Widget[] }[]): object[] {
  let y = 0;
  return rows.flatMap(({ height, widgets }) => {
    const width = Math.floor(COLUMNS / widgets.length);
    const placed = widgets.map((widget, index) => ({ ...widget, x: index * width, y, width, height }));
    y += height;
    return placed;
  });
}
