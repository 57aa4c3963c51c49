/** What a person is told of, from which figure on, and where it goes. */
import { all, at, one, type Registered, type Stack } from "../stack.ts";
import { holds, same, type Check, type Expected } from "./check.ts";
import { deadLetterQueue, functionOf, topicArn, TYPES, workQueue } from "./find.ts";

/** `metric comparison threshold`, over `evaluation` of `period` seconds. */
interface Wanted {
  readonly thing: string;
  readonly metric: string;
  readonly of: (stack: Stack, expected: Expected) => unknown;
  readonly when: string;
  readonly threshold: (expected: Expected) => number;
}

const ofFunction = (role: "Reader" | "Consumer") => (stack: Stack) => ({
  FunctionName: at(functionOf(stack, role), "name"),
});

const WANTED: readonly Wanted[] = [
  {
    thing: "dead-letters",
    metric: "AWS/SQS ApproximateNumberOfMessagesVisible",
    of: (stack) => ({ QueueName: at(deadLetterQueue(stack), "name") }),
    when: "GreaterThanThreshold",
    threshold: () => 0,
  },
  {
    thing: "oldest-message",
    metric: "AWS/SQS ApproximateAgeOfOldestMessage",
    of: (stack) => ({ QueueName: at(workQueue(stack), "name") }),
    when: "GreaterThanThreshold",
    // Two ticks of horizon, the longest hide, one visibility timeout.
    threshold: () => 120 + 900 + 180,
  },
  {
    thing: "reader-errors",
    metric: "AWS/Lambda Errors",
    of: ofFunction("Reader"),
    when: "GreaterThanThreshold",
    threshold: () => 0,
  },
  {
    thing: "consumer-throttles",
    metric: "AWS/Lambda Throttles",
    of: ofFunction("Consumer"),
    when: "GreaterThanThreshold",
    threshold: ({ maxConcurrent }) => (maxConcurrent === 1 ? 30 : 0),
  },
  {
    thing: "falls-off",
    metric: "FirehoseBackfill FallsOffInSeconds",
    of: (_, { stage }) => ({ service: "firehose-backfill", stage }),
    when: "LessThanThreshold",
    threshold: () => 6 * 3600,
  },
  {
    thing: "reader-silent",
    metric: "AWS/Lambda Invocations",
    of: ofFunction("Reader"),
    when: "LessThanThreshold",
    threshold: () => 1,
  },
];

export const ALARMS: readonly Check[] = [
  ...WANTED.map((wanted): Check => ({
    name: `alarm ${wanted.thing}`,
    run: (stack, expected) => {
      const alarm = alarmOf(stack, expected, wanted.thing);
      if (wanted.thing === "reader-silent" && expected.isDev) {
        return holds("it would fire in `sst dev`, where nothing ticks", alarm === undefined);
      }
      if (alarm === undefined) return [`there is no alarm ${wanted.thing}`];
      return [
        ...same("metric", `${String(at(alarm, "namespace"))} ${String(at(alarm, "metricName"))}`, wanted.metric),
        ...same("of", at(alarm, "dimensions"), wanted.of(stack, expected)),
        ...same("comparison", at(alarm, "comparisonOperator"), wanted.when),
        ...same("threshold", at(alarm, "threshold"), wanted.threshold(expected)),
        ...same(
          "without data",
          at(alarm, "treatMissingData"),
          wanted.thing === "reader-silent" ? "breaching" : "notBreaching",
        ),
      ];
    },
  })),
  {
    name: "every alarm goes where the settings say, and back when it is over",
    run: (stack, expected) => {
      const topic = topicArn(stack, expected.alarmTopicArn);
      const wanted = topic === null ? [] : [topic];
      return all(stack, TYPES.alarm).flatMap((alarm) => [
        ...same(`${alarm.name}'s actions`, at(alarm, "alarmActions"), wanted),
        ...same(`${alarm.name}'s all-clear`, at(alarm, "okActions"), wanted),
      ]);
    },
  },
  {
    name: "the address is subscribed to the stage's own topic",
    run: (stack, { alarmTopicArn, settings }) => {
      if (alarmTopicArn !== "own") return same("topics", all(stack, TYPES.topic).length, 0);
      const subscription = one(stack, TYPES.subscription);
      return [
        ...same("protocol", at(subscription, "protocol"), "email"),
        ...same("topic", at(subscription, "topic"), topicArn(stack, alarmTopicArn)),
        ...holds(`no address in ${JSON.stringify(settings)}`, String(at(subscription, "endpoint")).includes("@")),
      ];
    },
  },
  {
    name: "a deploy whose alarms go nowhere says so",
    run: (stack, { alarmTopicArn }) => {
      const isSaid = stack.warnings.some((line) => line.includes("Alarms go NOWHERE"));
      return [
        ...same("warned", isSaid, alarmTopicArn === null),
        ...same("in the outputs", String(stack.outputs["alarms"]).startsWith("NOWHERE"), alarmTopicArn === null),
      ];
    },
  },
  {
    name: "every alarm says what it means and where its paragraph is",
    run: (stack) =>
      all(stack, TYPES.alarm).flatMap((alarm) =>
        holds(`${alarm.name} explains nothing`, String(at(alarm, "alarmDescription")).includes("docs/operations.md")),
      ),
  },
];

function alarmOf(stack: Stack, { stage }: Expected, thing: string): Registered | undefined {
  return all(stack, TYPES.alarm).find((alarm) => at(alarm, "name") === `firehose-backfill-${stage}-${thing}`);
}
