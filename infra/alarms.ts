/**
 * What a person is woken for. Each alarm has its paragraph in docs/operations.md, and its description names it.
 * None of them fires on an idle stage: missing data is no breach, except for the reader that no longer ticks.
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

/** The longest that a batch is hidden in one go: SQS's longest delay and the longest wait for health. */
const LONGEST_HIDE_SECONDS = 900;

/** Older than a batch that was planned two ticks ahead, hidden once for as long as possible, and received again. */
export const OLDEST_MESSAGE_SECONDS = LONGEST_HIDE_SECONDS + 2 * TICK_SECONDS + VISIBILITY_TIMEOUT_SECONDS;

export const FALLS_OFF_SECONDS = 6 * 3600;

/**
 * With one batch at a time the mapping still offers two, its minimum: now and then the second is throttled and comes
 * back. More than this in five minutes is not that.
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
      alarmDescription: "A batch waits longer than any plan, delay or wait explains.",
      ...ofQueue(options.work, "ApproximateAgeOfOldestMessage"),
      statistic: "Maximum",
      period: 5 * MINUTE,
      evaluationPeriods: 3,
      comparisonOperator: "GreaterThanThreshold",
      threshold: OLDEST_MESSAGE_SECONDS,
    }),
    alarm("ReaderErrorsAlarm", "reader-errors", {
      alarmDescription: "Ticks of the reader fail or time out; the next minute's tick goes on from the same place.",
      ...ofFunction(options.reader, "Errors"),
      statistic: "Sum",
      period: MINUTE,
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
      comparisonOperator: "GreaterThanThreshold",
      threshold: 0,
    }),
    alarm("ConsumerThrottlesAlarm", "consumer-throttles", {
      alarmDescription:
        "Lambda refuses to run the consumer: the account's concurrency is used up, or too much is offered.",
      ...ofFunction(options.consumer, "Throttles"),
      statistic: "Sum",
      period: 5 * MINUTE,
      evaluationPeriods: 3,
      comparisonOperator: "GreaterThanThreshold",
      threshold: options.maxConcurrent === 1 ? EXPECTED_THROTTLES_AT_ONE : 0,
    }),
    alarm("FallsOffAlarm", "falls-off", {
      alarmDescription: "The relay soon drops what the reader would read next: the run is slower than the stream.",
      ...ofBackfill("FallsOffInSeconds"),
      statistic: "Minimum",
      period: 5 * MINUTE,
      evaluationPeriods: 3,
      comparisonOperator: "LessThanThreshold",
      threshold: FALLS_OFF_SECONDS,
    }),
  ];
  if ($dev) return alarms;
  // Silence is the one failure that reports nothing. Not in `sst dev`, where the schedule is off.
  return [
    ...alarms,
    alarm("ReaderSilentAlarm", "reader-silent", {
      alarmDescription: "The reader was not invoked for ten minutes: the schedule is off, or Lambda cannot begin it.",
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

function ofBackfill(metricName: MetricName) {
  return { namespace: NAMESPACE, metricName, dimensions: dimensions() };
}
