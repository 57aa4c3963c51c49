/** EventBridge Scheduler: the model takes any text of 256 characters for an expression. */
import { callsOf, fieldsOf, parsed, textOf } from "../call.ts";
import { isScheduleExpression } from "./schedule-expression.ts";
import { mayBeAssumedBy, allows } from "./policies.ts";
import { nameInArn, roleOf, rule, unless, type Rule } from "./rule.ts";

const KEYWORDS = new Set(["schedule-arn", "scheduled-time", "execution-id", "attempt-number"]);
const LARGEST_INPUT_BYTES = 256 * 1024;

export const SCHEDULE_RULES: readonly Rule[] = [
  rule("a schedule's expression is one that Scheduler reads", "scheduler.CreateSchedule", (input) =>
    unless(isScheduleExpression(textOf(input["ScheduleExpression"])), `"${textOf(input["ScheduleExpression"])}"`),
  ),
  rule("a schedule's time zone exists", "scheduler.CreateSchedule", ({ ScheduleExpressionTimezone: zone }) =>
    unless(isTimeZone(textOf(zone)), `"${textOf(zone)}"`),
  ),
  rule("a window has a length where it is flexible, and none where it is off", "scheduler.CreateSchedule", (input) => {
    const { Mode: mode, MaximumWindowInMinutes: minutes } = fieldsOf(input["FlexibleTimeWindow"]);
    return unless((mode === "FLEXIBLE") === (minutes !== undefined), `${textOf(mode)}, ${textOf(minutes)} minutes`);
  }),
  rule("what a schedule sends is JSON of 256 KB at most", "scheduler.CreateSchedule", ({ Target: target }) => {
    const text = fieldsOf(target)["Input"];
    if (text === undefined) return [];
    return unless(
      parsed(text) !== null && Buffer.byteLength(textOf(text)) <= LARGEST_INPUT_BYTES,
      textOf(text).slice(0, 80),
    );
  }),
  rule("what a schedule fills in is a word of Scheduler's", "scheduler.CreateSchedule", ({ Target: target }) =>
    [...String(fieldsOf(target)["Input"]).matchAll(/<aws\.scheduler\.([^>]*)>/g)]
      .filter(([, word]) => !KEYWORDS.has(word ?? ""))
      .map(([whole]) => `${whole} stays as it is`),
  ),
  rule(
    "Scheduler may assume the schedule's role, which may invoke the target",
    "scheduler.CreateSchedule",
    (input, calls) => {
      const { RoleArn: roleArn, Arn: arn } = fieldsOf(input["Target"]);
      const role = roleOf(calls, roleArn);
      if (role === undefined) return [`${textOf(roleArn)} is not created`];
      return [
        ...unless(mayBeAssumedBy(role.input, "scheduler.amazonaws.com"), `${role.of} does not let Scheduler assume it`),
        ...unless(
          allows(calls, role, "lambda:InvokeFunction", textOf(arn)),
          `${role.of} does not allow lambda:InvokeFunction on ${textOf(arn)}`,
        ),
      ];
    },
  ),
  rule("a schedule's target is a function of this deploy", "scheduler.CreateSchedule", ({ Target: target }, calls) => {
    const arn = fieldsOf(target)["Arn"];
    const names = callsOf(calls, "lambda.CreateFunction").map(({ input }) => input["FunctionName"]);
    return unless(names.includes(nameInArn(arn)), `${textOf(arn)} is not created`);
  }),
];

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
