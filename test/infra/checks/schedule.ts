/**
 * What wakes the reader: once a minute, with the minute it was meant for, and never late or twice by our own doing. And what calls control for
 * an audit, if one is asked for.
 */
import { all, at } from "../stack.ts";
import { hasScheduledAudit, json, same, type Check } from "./check.ts";
import { ACCOUNT, functionArn, roleOf, scheduleOf, TYPES } from "./find.ts";

export const SCHEDULE: readonly Check[] = [
  {
    name: "one schedule wakes the reader every minute",
    run: (stack) => {
      const schedule = scheduleOf(stack, "ReaderSchedule");
      return [
        ...same("rate", at(schedule, "scheduleExpression"), "rate(1 minute)"),
        ...same("window", at(schedule, "flexibleTimeWindow"), { mode: "OFF" }),
        ...same("target", at(schedule, "target", "arn"), functionArn(stack, "Reader")),
        ...same(
          "as",
          at(schedule, "target", "roleArn"),
          `arn:aws:iam::${ACCOUNT}:role/${String(at(roleOf(stack, "ReaderSchedule"), "name"))}`,
        ),
      ];
    },
  },
  {
    name: "the tick says which minute it was meant for",
    run: (stack) => {
      const schedule = scheduleOf(stack, "ReaderSchedule");
      return same("payload", json(schedule, at(schedule, "target", "input")), {
        action: "tick",
        scheduledAt: "<aws.scheduler.scheduled-time>",
      });
    },
  },
  {
    name: "a missed tick is not made up for",
    run: (stack) =>
      same("retries", at(scheduleOf(stack, "ReaderSchedule"), "target", "retryPolicy"), {
        maximumRetryAttempts: 0,
        maximumEventAgeInSeconds: 60,
      }),
  },
  {
    name: "the schedule is off in `sst dev` and on elsewhere",
    run: (stack, { isDev }) =>
      all(stack, TYPES.schedule).flatMap((schedule) =>
        same("state", at(schedule, "state"), isDev ? "DISABLED" : "ENABLED"),
      ),
  },
  {
    name: "issue 16.4: a schedule calls control for an audit, only where one is asked for",
    run: (stack, expected) => {
      const hasAudit = hasScheduledAudit(expected);
      const count = all(stack, TYPES.schedule).length;
      if (!hasAudit) return same("schedules", count, 1);
      const schedule = scheduleOf(stack, "AuditSchedule");
      return [
        ...same("schedules", count, 2),
        ...same("rate", at(schedule, "scheduleExpression"), "rate(5 minutes)"),
        ...same("target", at(schedule, "target", "arn"), functionArn(stack, "Control")),
        ...same("payload", json(schedule, at(schedule, "target", "input")), { action: "audit" }),
        ...same("retries", at(schedule, "target", "retryPolicy"), {
          maximumRetryAttempts: 0,
          maximumEventAgeInSeconds: 60,
        }),
      ];
    },
  },
];
