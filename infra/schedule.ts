/** A schedule that calls a function. A call that was missed is not made up for: the next one does its work. */
import { MAX_EVENT_AGE_SECONDS } from "./limits.ts";

export interface ScheduleOptions {
  readonly arn: $util.Output<string>;
  readonly schedule: `rate(${string})`;
  readonly event: Readonly<Record<string, string>>;
}

export function createSchedule(name: string, { arn, schedule, event }: ScheduleOptions): void {
  new sst.aws.CronV2(name, {
    function: arn,
    schedule,
    event,
    retries: 0,
    // `sst dev` shares the stage's queue and table with your machine, where you call the function by hand.
    enabled: !$dev,
    transform: {
      schedule: (args) => {
        args.target = $resolve([args.target]).apply(([target]) => ({
          ...target,
          retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: MAX_EVENT_AGE_SECONDS },
        }));
        return undefined;
      },
    },
  });
}
