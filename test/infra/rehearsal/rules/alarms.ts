/** CloudWatch alarms: sixteen members of which few are required, and which of them go together is in no model. */
import { fieldsOf, listOf, type Fields, textOf } from "../call.ts";
import { rule, unless, type Rule } from "./rule.ts";

const MISSING_DATA = ["breaching", "notBreaching", "ignore", "missing"];
const HOUR = 3600;
const DAY = 24 * HOUR;
const OF_ONE_METRIC = ["MetricName", "Namespace", "Dimensions", "Period", "Statistic", "ExtendedStatistic", "Unit"];
const STATISTIC =
  /^(SampleCount|Average|Sum|Minimum|Maximum|IQM|(p|tm|tc|ts|wm)\d{1,2}(\.\d+)?|(TM|TC|TS|WM|PR)\(.+\))$/;

export const ALARM_RULES: readonly Rule[] = [
  alarmRule("missing data is treated in one of four ways", ({ TreatMissingData: treat }) =>
    unless(MISSING_DATA.includes(textOf(treat)), `"${textOf(treat)}" is none of ${MISSING_DATA.join(", ")}`),
  ),
  alarmRule("an alarm is over one metric or over queries", (input) => {
    const isOne = input["MetricName"] !== undefined;
    const isMany = input["Metrics"] !== undefined;
    if (isOne === isMany) return [isOne ? "it is over both" : "it is over neither"];
    if (isMany)
      return OF_ONE_METRIC.filter((name) => input[name] !== undefined).map((name) => `${name} beside queries`);
    const needed = ["Namespace", "Period"].filter((name) => input[name] === undefined).map((name) => `without ${name}`);
    const statistics = [input["Statistic"], input["ExtendedStatistic"]].filter((it) => it !== undefined);
    return [...needed, ...unless(statistics.length === 1, `${statistics.length} statistics`)];
  }),
  alarmRule("an alarm has a threshold, and so many of its periods may breach as it looks at", (input) => {
    const { EvaluationPeriods: all, DatapointsToAlarm: needed, Threshold: threshold } = input;
    return [
      ...unless(all !== undefined, "EvaluationPeriods is not set"),
      ...unless(input["ComparisonOperator"] !== undefined, "ComparisonOperator is not set"),
      ...unless(typeof threshold === "number" || input["ThresholdMetricId"] !== undefined, "Threshold is not set"),
      ...unless(needed === undefined || Number(needed) <= Number(all), `${textOf(needed)} of ${textOf(all)} periods`),
    ];
  }),
  alarmRule("a period is 10, 20 or 30 s, or minutes; all of them are a day at most, or a week by the hour", (input) =>
    periodsOf(input).flatMap((period) => {
      const looksAt = period * Number(input["EvaluationPeriods"]);
      return [
        ...unless([10, 20, 30].includes(period) || period % 60 === 0, `${period} s`),
        ...unless(looksAt <= (period >= HOUR ? 7 * DAY : DAY), `it looks at ${looksAt} s`),
      ];
    }),
  ),
  alarmRule("queries have names, one source each, and one of them is judged", (input) => queryProblems(input)),
  alarmRule("an alarm tells what has an ARN", (input) =>
    ["AlarmActions", "OKActions", "InsufficientDataActions"]
      .flatMap((name) => listOf(input[name]).map(textOf))
      .filter((arn) => !/^arn:aws[a-z-]*:[a-z0-9-]+:/.test(arn))
      .map((arn) => `"${arn}" is no ARN`),
  ),
];

function alarmRule(name: string, check: (input: Fields) => readonly string[]): Rule {
  return rule(name, "cloudwatch.PutMetricAlarm", check);
}

function periodsOf(input: Fields): number[] {
  const queries = listOf(input["Metrics"]).map(fieldsOf);
  return [input["Period"], ...queries.map((it) => it["Period"] ?? fieldsOf(it["MetricStat"])["Period"])]
    .filter((period) => period !== undefined)
    .map(Number);
}

function queryProblems(input: Fields): readonly string[] {
  if (input["Metrics"] === undefined) return [];
  const queries = listOf(input["Metrics"]).map(fieldsOf);
  const ids = queries.map(({ Id: id }) => textOf(id));
  const judged = queries.filter((it) => it["ReturnData"] !== false);
  return [
    ...unless(judged.length === 1, `${judged.length} queries are judged`),
    ...unless(new Set(ids).size === ids.length, "two queries have one name"),
    ...ids.filter((id) => !/^[a-z]\w*$/.test(id)).map((id) => `"${id}" does not begin with a small letter`),
    ...queries.flatMap(({ Id: id, MetricStat: stat, Expression: expression }) => [
      ...unless((stat === undefined) !== (expression === undefined), `${textOf(id)} is a metric or an expression`),
      ...unless(stat === undefined || STATISTIC.test(textOf(fieldsOf(stat)["Stat"])), `${textOf(id)}: statistic`),
      ...namesIn(textOf(expression ?? ""))
        .filter((name) => !ids.includes(name))
        .map((name) => `${textOf(id)}: no query is named ${name}`),
    ]),
  ];
}

/** In an expression functions are in capitals and queries begin with a small letter. */
function namesIn(expression: string): string[] {
  return [...expression.replaceAll(/'[^']*'|"[^"]*"/g, "").matchAll(/\b[a-z]\w*\b/g)].map(([name]) => name);
}
