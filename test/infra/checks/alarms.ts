/** What a person is told of, from which figure on, and where it goes. */
import { WRITTEN_FROM } from "../../../functions/shared/metrics.ts";
import { readOperations } from "../operations.ts";
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
  /** Of errors: the metric of the backfill that is taken away from them. */
  readonly apart?: string;
  /** `datapoints of periods of seconds`, where it matters that a trouble is seen at all. */
  readonly during?: string;
}

const ofFunction = (role: "Reader" | "Consumer") => (stack: Stack) => ({
  FunctionName: at(functionOf(stack, role), "name"),
});

const ofStage = (_: Stack, { stage }: Expected) => ({ service: "firehose-backfill", stage });

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
    // Two ticks of read-ahead, the longest hide, one visibility timeout.
    threshold: () => 120 + 900 + 180,
  },
  {
    thing: "oldest-due",
    metric: "FirehoseBackfill OldestDueSeconds",
    of: ofStage,
    when: "GreaterThanThreshold",
    threshold: () => 120 + 900 + 180,
  },
  {
    thing: "waiting",
    metric: "FirehoseBackfill WaitingSeconds",
    of: ofStage,
    when: "GreaterThanThreshold",
    threshold: () => 900,
  },
  {
    thing: "consumer-errors",
    metric: "AWS/Lambda Errors",
    of: ofFunction("Consumer"),
    when: "GreaterThanThreshold",
    threshold: () => 0,
    apart: "EarlyExits",
    // One batch that kills its consumer comes back each 180 s, the queue's visibility.
    during: "2 of 3 of 300 s",
  },
  {
    thing: "reader-errors",
    metric: "AWS/Lambda Errors",
    of: ofFunction("Reader"),
    when: "GreaterThanThreshold",
    threshold: () => 0,
    apart: "ReaderEarlyExits",
    during: "3 of 5 of 60 s",
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
    of: ofStage,
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
        ...(wanted.apart === undefined
          ? [
              ...same("metric", metricOf(alarm), wanted.metric),
              ...same("of", at(alarm, "dimensions"), wanted.of(stack, expected)),
            ]
          : errorsApart(alarm, wanted, wanted.apart, stack, expected)),
        ...(wanted.during === undefined ? [] : same("during", duringOf(alarm), wanted.during)),
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
    name: "issue 12.6: operations.md explains every alarm, and its table of troubles names these alarms and no others",
    run: (stack, { stage, isDev }) => {
      const made = all(stack, TYPES.alarm).map((alarm) =>
        String(at(alarm, "name")).replace(`firehose-backfill-${stage}-`, ""),
      );
      // Not made in `sst dev`, and still explained.
      const wanted = [...made, ...(isDev ? ["reader-silent"] : [])].sort();
      const { troubles, paragraphs } = readOperations();
      return [
        ...same("in the table", [...new Set(troubles.flatMap(({ alarms }) => alarms))].sort(), wanted),
        ...same("explained", paragraphs.toSorted(), wanted),
        ...troubles.flatMap(({ trouble, alarms }) => holds(`"${trouble}" is told by nothing`, alarms.length > 0)),
        ...(["database is down", "every invocation of the consumer fails", "switched off"] as const).flatMap(
          (trouble) =>
            holds(
              `the table does not say what tells that "${trouble}"`,
              troubles.some((it) => it.trouble.includes(trouble)),
            ),
        ),
      ];
    },
  },
  {
    name: "issue 18.5: the figures near an alarm are written long before it",
    run: (stack, expected) =>
      Object.entries(WRITTEN_FROM).flatMap(([metric, from]) => {
        const alarm = all(stack, TYPES.alarm).find((each) => at(each, "metricName") === metric);
        if (alarm === undefined) return [`no alarm of stage ${expected.stage} watches ${metric}`];
        const threshold = Number(at(alarm, "threshold"));
        const isBefore = metric === "FallsOffInSeconds" ? from >= 2 * threshold : from <= threshold / 2;
        return holds(`${metric} is written from ${from} on, and its alarm begins at ${threshold}`, isBefore);
      }),
  },
  {
    name: "every alarm says what it means and where its paragraph is",
    run: (stack) =>
      all(stack, TYPES.alarm).flatMap((alarm) =>
        holds(`${alarm.name} explains nothing`, String(at(alarm, "alarmDescription")).includes("docs/operations.md")),
      ),
  },
];

/** Two metrics and what is made of them. */
function errorsApart(
  alarm: Registered,
  wanted: Wanted,
  apart: string,
  stack: Stack,
  expected: Expected,
): readonly string[] {
  const query = (index: number, ...path: string[]) => at(alarm, "metricQueries", index, ...path);
  const metric = (index: number) =>
    `${String(query(index, "metric", "namespace"))} ${String(query(index, "metric", "metricName"))}`;
  return [
    ...same("metric", metric(0), wanted.metric),
    ...same("of", query(0, "metric", "dimensions"), wanted.of(stack, expected)),
    ...same("apart", metric(1), `FirehoseBackfill ${apart}`),
    ...same("apart, of", query(1, "metric", "dimensions"), ofStage(stack, expected)),
    ...same("ids", [query(0, "id"), query(1, "id")], ["errors", "exits"]),
    // An hour without early exits has no figure of them.
    ...same("expression", query(2, "expression"), "errors - FILL(exits, 0)"),
    ...same(
      "what is judged",
      [0, 1, 2].map((index) => query(index, "returnData") === true),
      [false, false, true],
    ),
    ...same("statistics", [query(0, "metric", "stat"), query(1, "metric", "stat")], ["Sum", "Sum"]),
  ];
}

function metricOf(alarm: Registered): string {
  return `${String(at(alarm, "namespace"))} ${String(at(alarm, "metricName"))}`;
}

function duringOf(alarm: Registered): string {
  const period = at(alarm, "metricQueries", 0, "metric", "period") ?? at(alarm, "period");
  return `${String(at(alarm, "datapointsToAlarm"))} of ${String(at(alarm, "evaluationPeriods"))} of ${String(period)} s`;
}

function alarmOf(stack: Stack, { stage }: Expected, thing: string): Registered | undefined {
  return all(stack, TYPES.alarm).find((alarm) => at(alarm, "name") === `firehose-backfill-${stage}-${thing}`);
}
