/** What wakes the reader: once a minute, with the minute it was meant for, and never late or twice by our own doing. */
import { all, at, one } from "../stack.ts";
import { json, same, type Check } from "./check.ts";
import { ACCOUNT, functionArn, roleOf, TYPES } from "./find.ts";

export const SCHEDULE: readonly Check[] = [
  {
    name: "one schedule wakes the reader every minute",
    run: (stack) => {
      const schedule = one(stack, TYPES.schedule);
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
      const schedule = one(stack, TYPES.schedule);
      return same("payload", json(schedule, at(schedule, "target", "input")), {
        action: "tick",
        scheduledAt: "<aws.scheduler.scheduled-time>",
      });
    },
  },
  {
    name: "a missed tick is not made up for",
    run: (stack) =>
      same("retries", at(one(stack, TYPES.schedule), "target", "retryPolicy"), {
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
];
