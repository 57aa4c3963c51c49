/**
 * The alarms. Each has its paragraph in docs/operations.md, and its description refers to it. None of them fires on an idle stage:
 * missing data is not a breach, except for the alarm on a reader that no longer ticks.
 */
import { TICK_SECONDS, VISIBILITY_TIMEOUT_SECONDS } from "./limits.ts";
import { dimensions, NAMESPACE, type MetricName } from "./metrics.ts";
import { stageName } from "./names.ts";

export interface AlarmOptions {
  readonly topicArn: $util.Input<string> | null;
  readonly work: sst.aws.Queue;
  readonly deadLetters: sst.aws.Queue;
  readonly reader: sst.aws.Function;
  readonly consumer: sst.aws.Function;
  readonly maxConcurrent: number;
}

/** The longest time that a batch is hidden at once: SQS's longest delay and the longest wait for a healthy database. */
const LONGEST_HIDE_SECONDS = 900;

/**
 * Older than a batch that was planned two ticks ahead, hidden once for as long as possible, and received again. SQS does not count
 * messages that were received three times, so this alarm fires if nothing is received at all.
 */
export const OLDEST_MESSAGE_SECONDS = LONGEST_HIDE_SECONDS + 2 * TICK_SECONDS + VISIBILITY_TIMEOUT_SECONDS;

/** A database that restarts or fails over is back by then; a single batch may wait up to a quarter of an hour. */
export const WAITING_SECONDS = 15 * 60;

export const FALLS_OFF_SECONDS = 6 * 3600;

/**
 * With one batch at a time, the mapping still offers two, its minimum, so now and then the second is throttled and comes
 * back. More throttles than this in five minutes have another cause.
 */
const EXPECTED_THROTTLES_AT_ONE = 30;

const MINUTE = 60;

type Alarm = Omit<aws.cloudwatch.MetricAlarmArgs, "name" | "alarmActions" | "okActions"> & {
  readonly alarmDescription: string;
};

export function createAlarms(options: AlarmOptions): aws.cloudwatch.MetricAlarm[] {
  const actions = options.topicArn === null ? [] : [options.topicArn];
  const alarm = (logicalName: string, thing: string, args: Alarm): aws.cloudwatch.MetricAlarm =>
    new aws.cloudwatch.MetricAlarm(logicalName, {
      name: stageName(thing),
      treatMissingData: "notBreaching",
      ...args,
      alarmDescription: `${args.alarmDescription} docs/operations.md, alarm "${thing}".`,
      alarmActions: actions,
      okActions: actions,
    });

  const alarms = [
    alarm("DeadLettersAlarm", "dead-letters", {
      alarmDescription: "Batches could not be applied in five attempts and wait in the dead-letter queue.",
      ...ofQueue(options.deadLetters, "ApproximateNumberOfMessagesVisible"),
      statistic: "Maximum",
      period: MINUTE,
      evaluationPeriods: 1,
      comparisonOperator: "GreaterThanThreshold",
      threshold: 0,
    }),
    alarm("OldestMessageAlarm", "oldest-message", {
      alarmDescription: "A batch waits in the queue longer than its pace, a delay or a wait can explain.",
      ...ofQueue(options.work, "ApproximateAgeOfOldestMessage"),
      statistic: "Maximum",
      period: 5 * MINUTE,
      evaluationPeriods: 3,
      comparisonOperator: "GreaterThanThreshold",
      threshold: OLDEST_MESSAGE_SECONDS,
    }),
    alarm("OldestDueAlarm", "oldest-due", {
      alarmDescription: "A batch is long overdue: no consumer receives it, or each one that does fails.",
      ...ofBackfill("OldestDueSeconds"),
      statistic: "Maximum",
      period: MINUTE,
      evaluationPeriods: 3,
      comparisonOperator: "GreaterThanThreshold",
      threshold: OLDEST_MESSAGE_SECONDS,
    }),
    alarm("WaitingAlarm", "waiting", {
      alarmDescription: "The run waits for the database, or the throttle query says no: nothing is applied.",
      ...ofBackfill("WaitingSeconds"),
      statistic: "Maximum",
      period: MINUTE,
      evaluationPeriods: 3,
      comparisonOperator: "GreaterThanThreshold",
      threshold: WAITING_SECONDS,
    }),
    alarm("ConsumerErrorsAlarm", "consumer-errors", {
      alarmDescription: "Invocations of the consumer fail: perhaps a bad deploy, a missing secret or a time-out.",
      // A batch that crashes its consumer comes back every three minutes, so each period of five minutes has an error.
      ...errorsOf(options.consumer, "EarlyExits", 5 * MINUTE),
      evaluationPeriods: 3,
      datapointsToAlarm: 2,
      comparisonOperator: "GreaterThanThreshold",
      threshold: 0,
    }),
    alarm("ReaderErrorsAlarm", "reader-errors", {
      alarmDescription: "Ticks of the reader fail or time out; the next tick continues at the same position.",
      ...errorsOf(options.reader, "ReaderEarlyExits", MINUTE),
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
      comparisonOperator: "GreaterThanThreshold",
      threshold: 0,
    }),
    alarm("ConsumerThrottlesAlarm", "consumer-throttles", {
      alarmDescription:
        "Lambda refuses to run the consumer: the account's concurrency is used up, or the reservation is too small.",
      ...ofFunction(options.consumer, "Throttles"),
      statistic: "Sum",
      period: 5 * MINUTE,
      evaluationPeriods: 3,
      comparisonOperator: "GreaterThanThreshold",
      threshold: options.maxConcurrent === 1 ? EXPECTED_THROTTLES_AT_ONE : 0,
    }),
    alarm("FallsOffAlarm", "falls-off", {
      alarmDescription:
        "The relay soon drops the events that the reader would read next: the run is slower than the stream.",
      ...ofBackfill("FallsOffInSeconds"),
      statistic: "Minimum",
      period: 5 * MINUTE,
      evaluationPeriods: 3,
      comparisonOperator: "LessThanThreshold",
      threshold: FALLS_OFF_SECONDS,
    }),
  ];
  if ($dev) return alarms;
  // A reader that is never invoked reports nothing, so this alarm treats missing data as a breach. Not in `sst dev`: no schedule there.
  return [
    ...alarms,
    alarm("ReaderSilentAlarm", "reader-silent", {
      alarmDescription: "The reader was not invoked for ten minutes: the schedule is off, or Lambda cannot run it.",
      ...ofFunction(options.reader, "Invocations"),
      statistic: "Sum",
      period: 5 * MINUTE,
      evaluationPeriods: 2,
      comparisonOperator: "LessThanThreshold",
      threshold: 1,
      treatMissingData: "breaching",
    }),
  ];
}

function ofQueue(queue: sst.aws.Queue, metricName: string) {
  return { namespace: "AWS/SQS", metricName, dimensions: { QueueName: queue.nodes.queue.name } };
}

function ofFunction(fn: sst.aws.Function, metricName: string) {
  return { namespace: "AWS/Lambda", metricName, dimensions: { FunctionName: fn.name } };
}

/**
 * Errors of a function, without the environments that ended because of their memory limit: those return their batch
 * and end on purpose, and Lambda counts them as errors, too.
 */
function errorsOf(fn: sst.aws.Function, exits: MetricName, period: number) {
  const sum = { stat: "Sum", period };
  return {
    metricQueries: [
      { id: "errors", metric: { ...ofFunction(fn, "Errors"), ...sum } },
      { id: "exits", metric: { ...ofBackfill(exits), ...sum } },
      { id: "failures", expression: "errors - FILL(exits, 0)", label: "errors, early exits apart", returnData: true },
    ],
  };
}

function ofBackfill(metricName: MetricName) {
  return { namespace: NAMESPACE, metricName, dimensions: dimensions() };
}
