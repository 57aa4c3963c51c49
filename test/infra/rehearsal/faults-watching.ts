/** Faults in logs, alarms, the topic and the test events. */
import type { Patchable } from "../patches.ts";
import { fault, set, type Fault } from "./fault.ts";
import { THE_MODEL } from "./rehearse.ts";

const ALARM = "DeadLettersAlarm";
/** The alarm over an expression, as one may be written: each fault is in one of its parts. */
function queries(change: (queries: Record<string, unknown>[]) => void): (it: Patchable) => void {
  const metric = {
    namespace: "AWS/Lambda",
    metricName: "Errors",
    dimensions: { FunctionName: "f" },
    stat: "Sum",
    period: 60,
  };
  const all = [
    { id: "errors", metric },
    { id: "failures", expression: "errors * 2", returnData: true },
  ];
  change(all);
  return (it) => {
    for (const name of ["metricName", "namespace", "dimensions", "period", "statistic"])
      it.set(ALARM, [name], undefined);
    it.set(ALARM, ["metricQueries"], all);
  };
}

export const SOUND_QUERIES = queries(() => undefined);

export const WATCHING_FAULTS: readonly Fault[] = [
  set(THE_MODEL, "a parameter of no type", "Text", ["KeptSettings", "type"], "Text"),
  set(
    "a parameter's name is a path of letters, digits, ., - and _",
    "a blank in it",
    "/my settings",
    ["KeptSettings", "name"],
    "/my settings",
  ),
  set(
    "a standard parameter holds 4,096 characters at most",
    "one more",
    "4097 of 4096",
    ["KeptSettings", "value"],
    "x".repeat(4097),
  ),
  set(
    "logs are kept for one of the times that CloudWatch offers",
    "issue 18.1: 31 days",
    "31 days",
    ["ReaderLogs", "retentionInDays"],
    31,
  ),
  set(
    "a function logs to a group that is created",
    "another name",
    "is not created",
    ["ReaderLogs", "name"],
    "/aws/lambda/reader",
  ),
  set(
    THE_MODEL,
    "issue 18.1: a log group's name with a blank",
    "does not match",
    ["ReaderLogs", "name"],
    "reader logs",
  ),

  set(
    "missing data is treated in one of four ways",
    "issue 18.1: a word of one's own",
    "notbreaching",
    [ALARM, "treatMissingData"],
    "notbreaching",
  ),
  set("an alarm is over one metric or over queries", "over neither", "neither", [ALARM, "metricName"], undefined),
  set(
    "an alarm is over one metric or over queries",
    "over both",
    "both",
    [ALARM, "metricQueries"],
    [{ id: "a", expression: "1", returnData: true }],
  ),
  set("an alarm is over one metric or over queries", "no statistic", "0 statistics", [ALARM, "statistic"], undefined),
  set(
    "an alarm has a threshold, and so many of its periods may breach as it looks at",
    "no threshold",
    "Threshold is not set",
    [ALARM, "threshold"],
    undefined,
  ),
  set(
    "an alarm has a threshold, and so many of its periods may breach as it looks at",
    "two of one",
    "2 of 1 periods",
    [ALARM, "datapointsToAlarm"],
    2,
  ),
  set(
    "a period is 10, 20 or 30 s, or minutes; all of them are a day at most, or a week by the hour",
    "45 s",
    "45 s",
    [ALARM, "period"],
    45,
  ),
  set(
    "a period is 10, 20 or 30 s, or minutes; all of them are a day at most, or a week by the hour",
    "25 hours",
    "90000 s",
    [ALARM, "evaluationPeriods"],
    1500,
  ),
  fault(
    "queries have names, one source each, and one of them is judged",
    "a name that is none",
    "no query is named error",
    queries((all) => Object.assign(all[1] ?? {}, { expression: "error * 2" })),
  ),
  fault(
    "queries have names, one source each, and one of them is judged",
    "none is judged",
    "0 queries",
    queries((all) => Object.assign(all[1] ?? {}, { returnData: false })),
  ),
  fault(
    "queries have names, one source each, and one of them is judged",
    "a statistic",
    "statistic",
    queries((all) => Object.assign((all[0] ?? {})["metric"] ?? {}, { stat: "sum" })),
  ),
  set("an alarm tells what has an ARN", "a name", "on-call", [ALARM, "alarmActions"], ["on-call"]),
  set(
    "no two resources of a kind have one name",
    "two",
    "twice",
    [ALARM, "name"],
    "firehose-backfill-production-falls-off",
  ),
  set(THE_MODEL, "issue 18.1: an alarm's comparison", "GreaterThan", [ALARM, "comparisonOperator"], "GreaterThan"),
  set(THE_MODEL, "an alarm's statistic", "Max", [ALARM, "statistic"], "Max"),
  set(
    THE_MODEL,
    "six actions",
    "5 is the most",
    [ALARM, "okActions"],
    Array.from({ length: 6 }, () => "arn:aws:sns:eu-central-1:123456789012:t"),
  ),

  set(
    "a topic's name has 256 letters, digits, - and _ at most",
    "a dot",
    "on.call",
    ["AlarmsTopic", "name"],
    "on.call",
  ),
  set("a subscriber's address fits the way there", "no address", "on-call", ["AlarmsEmail", "endpoint"], "on-call"),
  set("a subscriber's address fits the way there", "no such way", "e-mail", ["AlarmsEmail", "protocol"], "e-mail"),
  set(
    "a subscription is to a topic that is created",
    "another",
    "is not created",
    ["AlarmsEmail", "topic"],
    "arn:aws:sns:eu-central-1:123456789012:other",
  ),
  set(THE_MODEL, "a topic without a name", "Name is required", ["AlarmsTopic", "name"], undefined),
  set(THE_MODEL, "a subscription of no topic", "TopicArn is required", ["AlarmsEmail", "topic"], undefined),

  set(
    "a registry's name has 64 letters, digits, ., -, _ and @ at most",
    "AWS's own",
    "aws.events",
    ["TestEventRegistry", "name"],
    "aws.events",
  ),
  set(
    "a schema's name has 385 letters, digits, ., -, _ and @ at most",
    "a colon",
    "a:b",
    ["ControlTestEvents", "name"],
    "a:b",
  ),
  set(
    "a schema's content is OpenAPI 3 in JSON",
    "another version",
    '"2.0"',
    ["ControlTestEvents", "content"],
    '{"openapi":"2.0"}',
  ),
  set(THE_MODEL, "a registry without a name", "RegistryName is required", ["TestEventRegistry", "name"], undefined),
  set(THE_MODEL, "a schema's type", "OpenApi2", ["ControlTestEvents", "type"], "OpenApi2"),
];
