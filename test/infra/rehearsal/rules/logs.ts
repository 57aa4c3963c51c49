/** CloudWatch Logs: the model takes any whole number of days. */
import { callsOf, fieldsOf, textOf } from "../call.ts";
import { rule, unless, type Rule } from "./rule.ts";

const RETENTION_DAYS = new Set([
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]);

export const LOG_RULES: readonly Rule[] = [
  rule("logs are kept for one of the times that CloudWatch offers", "logs.PutRetentionPolicy", (input) =>
    unless(RETENTION_DAYS.has(Number(input["retentionInDays"])), `${textOf(input["retentionInDays"])} days`),
  ),
  rule("a function logs to a group that is created", "lambda.CreateFunction", ({ LoggingConfig: logging }, calls) => {
    const name = fieldsOf(logging)["LogGroup"];
    const groups = callsOf(calls, "logs.CreateLogGroup").map(({ input }) => input["logGroupName"]);
    return unless(groups.includes(name), `${textOf(name)} is not created`);
  }),
];
