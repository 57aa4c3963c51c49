/**
 * Calculates what a run costs: usage times price, line by line, so that a reader of `firehose-backfill plan` sees what costs
 * how much. Pure: the same workload and prices give the same lines.
 */
import { FREE_EACH_MONTH, PRICES, type Prices } from "./prices.ts";
import { UNIT_WORK, type UnitWork, type Usage, usageOf, type Workload } from "./usage.ts";

export interface CostLine {
  readonly what: string;
  readonly usd: number;
}

export interface CostEstimate {
  readonly usage: Usage;
  readonly lines: readonly CostLine[];
  /** All lines but the database's. */
  readonly awsUsd: number;
  readonly databaseUsd: number;
  readonly totalUsd: number;
  readonly usdPerMillionEvents: number;
  /** Month and region of the prices. */
  readonly basis: string;
}

export interface CostOptions {
  readonly prices?: Prices;
  readonly work?: UnitWork;
  /** Subtract what AWS gives every account each month, in proportion to the run's length. Default: false. */
  readonly withFreeTier?: boolean;
}

const SECONDS_PER_MONTH = (365.25 / 12) * 86_400;

export function estimateCost(workload: Workload, options: CostOptions = {}): CostEstimate {
  const prices = options.prices ?? PRICES;
  const work = options.work ?? UNIT_WORK;
  const usage = usageOf(workload, work);
  const months = usage.seconds / SECONDS_PER_MONTH;
  const free = options.withFreeTier === true ? FREE_EACH_MONTH : null;

  /** The usage minus the month's free part, in proportion. */
  const paid = (used: number, freeEachMonth: number | undefined): number =>
    Math.max(0, used - (freeEachMonth ?? 0) * months);
  const standing = (count: number, freeCount: number | undefined, usdPerMonth: number): number =>
    Math.max(0, count - (freeCount ?? 0)) * usdPerMonth * months;

  const gbSeconds = usage.consumerGbSeconds + usage.readerGbSeconds;
  // The free seconds are distributed, so that each line shows its part of the rest.
  const paidShare = gbSeconds === 0 ? 0 : paid(gbSeconds, free?.lambdaGbSeconds) / gbSeconds;
  const lines: CostLine[] = [
    { what: "consumer, Lambda time", usd: usage.consumerGbSeconds * paidShare * prices.lambdaGbSecond },
    { what: "reader, Lambda time", usd: usage.readerGbSeconds * paidShare * prices.lambdaGbSecond },
    { what: "Lambda requests", usd: paid(usage.lambdaRequests, free?.lambdaRequests) * prices.lambdaRequest },
    { what: "SQS requests", usd: paid(usage.sqsRequests, free?.sqsRequests) * prices.sqsRequest },
    {
      what: "DynamoDB",
      usd: usage.dynamoWriteUnits * prices.dynamoWriteUnit + usage.dynamoReadUnits * prices.dynamoReadUnit,
    },
    {
      what: "EventBridge Scheduler",
      usd: paid(usage.schedulerInvocations, free?.schedulerInvocations) * prices.schedulerInvocation,
    },
    { what: "logs", usd: paid(usage.logGb, free?.cloudwatchLogsGb) * prices.cloudwatchLogsGb },
    { what: "metrics", usd: standing(work.metrics, free?.cloudwatchMetrics, prices.cloudwatchMetricMonth) },
    { what: "alarms", usd: standing(work.alarms, free?.cloudwatchAlarms, prices.cloudwatchAlarmMonth) },
    { what: "dashboard", usd: standing(work.dashboards, free?.cloudwatchDashboards, prices.cloudwatchDashboardMonth) },
  ];
  const awsUsd = lines.reduce((sum, { usd }) => sum + usd, 0);
  const databaseUsd = usage.databaseComputeUnitHours * prices.neonComputeUnitHour;
  const totalUsd = awsUsd + databaseUsd;
  return {
    usage,
    lines: [...lines, { what: "database kept awake", usd: databaseUsd }],
    awsUsd,
    databaseUsd,
    totalUsd,
    usdPerMillionEvents: workload.events === 0 ? 0 : (totalUsd / workload.events) * 1e6,
    basis: `list prices of ${prices.region}, ${prices.asOf}${free === null ? "" : ", free tier subtracted"}`,
  };
}
