/**
 * List prices in US dollars, us-east-1, without taxes and discounts. They change: check them against the pages named here
 * before you rely on a sum, and update the date, too.
 */
export const PRICES = {
  asOf: "2025-11",
  region: "us-east-1",

  /** aws.amazon.com/lambda/pricing, arm64. Billed by the millisecond, including the start of the environment. */
  lambdaGbSecond: 0.000_013_333_4,
  lambdaRequest: 0.2e-6,
  /** aws.amazon.com/sqs/pricing, standard queues. Each started 64 KB of a call is one request. */
  sqsRequest: 0.4e-6,
  /** aws.amazon.com/dynamodb/pricing/on-demand. A write unit is 1 KB, a consistent read unit 4 KB; a started unit counts in full. */
  dynamoWriteUnit: 0.625e-6,
  dynamoReadUnit: 0.125e-6,
  /** aws.amazon.com/eventbridge/pricing, Scheduler. */
  schedulerInvocation: 1e-6,
  /** aws.amazon.com/cloudwatch/pricing. The first three for each month, by the hour in which they are used. */
  cloudwatchMetricMonth: 0.3,
  cloudwatchAlarmMonth: 0.1,
  cloudwatchDashboardMonth: 3,
  cloudwatchLogsGb: 0.5,
  /** neon.com/pricing, Launch plan: a compute unit, for each hour in which the database is awake. */
  neonComputeUnitHour: 0.106,
} as const;

export type Prices = { readonly [K in keyof typeof PRICES]: (typeof PRICES)[K] extends string ? string : number };

/**
 * What AWS gives every account each month, without end. The whole account shares it, so estimates leave it out unless
 * asked.
 */
export const FREE_EACH_MONTH = {
  lambdaGbSeconds: 400_000,
  lambdaRequests: 1_000_000,
  sqsRequests: 1_000_000,
  schedulerInvocations: 14_000_000,
  cloudwatchMetrics: 10,
  cloudwatchAlarms: 10,
  cloudwatchDashboards: 3,
  cloudwatchLogsGb: 5,
} as const;
