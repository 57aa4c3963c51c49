/**
 * The CloudWatch dashboard. From the top, like the status page: how fast, how far, what went wrong, then the
 * resources. Values from the run item (status, settings, target) are on the status page only.
 */
import { dimensions, NAMESPACE, type MetricName } from "./metrics.ts";
import { functionName, stageName } from "./names.ts";

export interface DashboardOptions {
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

export function createDashboard(options: DashboardOptions): aws.cloudwatch.Dashboard {
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
  const numbers = (title: string, lines: Line[], more: Record<string, unknown> = {}): Widget => ({
    type: "metric",
    properties: { title, view: "singleValue", region: facts.region, period: MINUTE, metrics: lines, ...more },
  });

  return [
    { height: 3, widgets: [heading()] },
    {
      height: 4,
      widgets: [
        numbers(
          "Events in the period shown",
          [
            own("EventsMatched", "Sum", "matched"),
            own("EventsApplied", "Sum", "applied"),
            own("EventsStale", "Sum", "stale"),
            own("EventsDead", "Sum", "dead"),
          ],
          { setPeriodToTimeRange: true },
        ),
        { type: "alarm", properties: { title: "Alarms", alarms: facts.alarmArns } },
      ],
    },
    {
      height: 6,
      widgets: [
        graph("Rate (events/s)", [
          [{ expression: "applied / PERIOD(applied)", label: "applied" }],
          [{ expression: "enqueued / PERIOD(enqueued)", label: "enqueued" }],
          hidden("EventsApplied", "applied"),
          hidden("EventsEnqueued", "enqueued"),
        ]),
        graph("Behind (s)", [
          own("ReaderLagSeconds", "Maximum", "reader"),
          own("EndToEndLagSeconds", "Maximum", "applied"),
          own("FallsOffInSeconds", "Minimum", "until the relay drops it"),
        ]),
        graph("Pace", [
          own("LateBatches", "Sum", "batches that took a new slot"),
          own("PaceWaitMs", "Average", "wait for the slot (ms)"),
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
        graph("Overdue and waiting (s)", [
          own("OldestDueSeconds", "Maximum", "oldest batch overdue"),
          own("WaitingSeconds", "Maximum", "waiting"),
          queue(facts.work, "ApproximateAgeOfOldestMessage", "age that SQS gives"),
        ]),
        graph("Memory (MB)", [
          own("MemoryRssMb", "Maximum", "rss"),
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
          own("LeaseLost", "Sum", "lease lost"),
          own("RelayGaps", "Sum", "gaps"),
        ]),
        graph("Duration (ms)", [
          lambda(facts.reader, "Duration", "Average", "tick"),
          lambda(facts.consumer, "Duration", "Average", "batch"),
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
  const sources = [facts.readerLogs, facts.consumerLogs].map((name) => `SOURCE '${name}'`).join(" | ");
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

/** Adds a metric under `id` for an expression; it is not drawn itself. */
function hidden(name: MetricName, id: string): Line {
  return [NAMESPACE, name, ...Object.entries(dimensions()).flat(), { stat: "Sum", id, visible: false }];
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
