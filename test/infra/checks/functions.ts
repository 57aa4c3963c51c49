/** What each function is: its code, its size, its environment, its log, and that it is tried once. */
import { all, at, one, type Stack } from "../stack.ts";
import { DATABASE_URL, RELAY_URL } from "../synth.ts";
import { holds, same, type Check, type Expected } from "./check.ts";
import { deadLetterQueue, functionOf, queueUrl, ROLES, topicArn, TYPES, workQueue, type Role } from "./find.ts";

const TIMEOUTS: Readonly<Record<Role, number>> = { Reader: 120, Consumer: 30, Control: 60, Status: 20 };

export const FUNCTIONS: readonly Check[] = [
  {
    name: "four functions on Node 24 and arm64, by names that people can type",
    run: (stack, { stage, isDev }) => [
      ...same("functions", all(stack, TYPES.function).length, ROLES.length),
      ...ROLES.flatMap((role) => {
        const fn = functionOf(stack, role);
        return [
          ...same(`${role}'s name`, at(fn, "name"), `firehose-backfill-${stage}-${role.toLowerCase()}`),
          // In `sst dev` SST puts its bridge in the function's place.
          ...same(`${role}'s runtime`, at(fn, "runtime"), isDev ? "provided.al2023" : "nodejs24.x"),
          ...same(`${role}'s architecture`, at(fn, "architectures"), [isDev ? "x86_64" : "arm64"]),
          ...same(
            `${role}'s handler`,
            at(fn, "handler"),
            isDev ? "bootstrap" : `functions/${role.toLowerCase()}.handler`,
          ),
        ];
      }),
    ],
  },
  {
    name: "timeouts",
    run: (stack) =>
      ROLES.flatMap((role) => same(`${role}'s timeout`, at(functionOf(stack, role), "timeout"), TIMEOUTS[role])),
  },
  {
    name: "reader and consumer have a quarter more memory than the limit, 512 MB at least",
    run: (stack, { maxMemoryMb }) =>
      (["Reader", "Consumer"] as const).flatMap((role) => {
        const memory = Number(at(functionOf(stack, role), "memorySize"));
        return same(`${role}'s memory`, memory, Math.max(512, Math.ceil(maxMemoryMb * 1.25)));
      }),
  },
  {
    name: "an asynchronous invocation is tried once, within a minute",
    run: (stack) =>
      ROLES.flatMap((role) => {
        const config = one(stack, TYPES.invokeConfig, role);
        return [
          ...same(`${role}'s retries`, at(config, "maximumRetryAttempts"), 0),
          ...same(`${role}'s event age`, at(config, "maximumEventAgeInSeconds"), 60),
        ];
      }),
  },
  {
    name: "each function logs to a group of its own, kept for 30 days",
    run: (stack) =>
      ROLES.flatMap((role) => {
        const fn = functionOf(stack, role);
        const group = one(stack, TYPES.logGroup, role);
        return [
          ...same(`${role}'s log group`, at(fn, "loggingConfig", "logGroup"), `/aws/lambda/${String(at(fn, "name"))}`),
          ...same(`${role}'s group`, at(group, "name"), at(fn, "loggingConfig", "logGroup")),
          ...same(`${role}'s log retention`, at(group, "retentionInDays"), 30),
        ];
      }),
  },
  {
    name: "issue 18.5: Lambda's own lines for what went well are not kept",
    run: (stack) =>
      ROLES.flatMap((role) => [
        ...same(`${role}'s format`, at(functionOf(stack, role), "loggingConfig", "logFormat"), "JSON"),
        ...same(`${role}'s level`, at(functionOf(stack, role), "loggingConfig", "systemLogLevel"), "WARN"),
      ]),
  },
  {
    name: "functions get the settings by their own names, the queues and the table, and nothing else",
    run: (stack, expected) => ROLES.flatMap((role) => environmentOf(stack, role, expected)),
  },
  {
    name: "the database's address is in no environment",
    run: (stack) => holds("a resource shows the secret", !JSON.stringify(functionsOf(stack)).includes(DATABASE_URL)),
  },
  {
    name: "consumer and control are in the network that was asked for, reader and status in none",
    run: (stack, { network }) =>
      ROLES.flatMap((role) => {
        const wanted = isInside(role) ? network : null;
        const fn = functionOf(stack, role);
        return [
          ...same(`${role}'s subnets`, at(fn, "vpcConfig", "subnetIds"), wanted?.subnetIds),
          ...same(`${role}'s security groups`, at(fn, "vpcConfig", "securityGroupIds"), wanted?.securityGroupIds),
        ];
      }),
  },
  {
    name: "tracing is off unless asked for",
    run: (stack, { isTraced }) =>
      ROLES.flatMap((role) =>
        same(
          `${role}'s tracing`,
          at(functionOf(stack, role), "tracingConfig", "mode"),
          isTraced ? "Active" : undefined,
        ),
      ),
  },
];

function environmentOf(stack: Stack, role: Role, expected: Expected): readonly string[] {
  const variables = (at(functionOf(stack, role), "environment", "variables") ?? {}) as Record<string, unknown>;
  // SST_… is SST's own: the app's name and the key to the linked secret.
  const ours = Object.fromEntries(Object.entries(variables).filter(([name]) => !name.startsWith("SST_")));
  const topic = topicArn(stack, expected.alarmTopicArn);
  const memoryMb = Number(at(functionOf(stack, role), "memorySize"));
  return same(
    `${role}'s environment`,
    sorted(ours),
    sorted({
      NODE_OPTIONS: `--max-semi-space-size=4 --max-old-space-size=${Math.floor(memoryMb * 0.8)}`,
      ...expected.settings,
      RELAY_URL,
      BACKFILL_QUEUE_URL: queueUrl(workQueue(stack)),
      BACKFILL_DLQ_URL: queueUrl(deadLetterQueue(stack)),
      BACKFILL_TABLE: at(one(stack, TYPES.table), "name"),
      ...(topic === null ? {} : { BACKFILL_ALARM_TOPIC_ARN: topic }),
      POWERTOOLS_SERVICE_NAME: "firehose-backfill",
      POWERTOOLS_METRICS_NAMESPACE: "FirehoseBackfill",
    }),
  );
}

/** For a message that can be compared by eye. */
function sorted(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => a.localeCompare(b)));
}

function functionsOf(stack: Stack): unknown[] {
  return all(stack, TYPES.function).map(({ inputs }) => inputs);
}

/** The two that speak with the database. */
export function isInside(role: Role): boolean {
  return role === "Consumer" || role === "Control";
}
