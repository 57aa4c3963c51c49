/** Finding the four functions, the two queues and what hangs on them. */
import { all, at, one, type Registered, type Stack } from "../stack.ts";
import type { AlarmTopicArn } from "./check.ts";

export const ROLES = ["Reader", "Consumer", "Control", "Status"] as const;
export type Role = (typeof ROLES)[number];

export const TYPES = {
  alarm: "aws:cloudwatch/metricAlarm:MetricAlarm",
  dashboard: "aws:cloudwatch/dashboard:Dashboard",
  function: "aws:lambda/function:Function",
  functionUrl: "aws:lambda/functionUrl:FunctionUrl",
  invokeConfig: "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
  logGroup: "aws:cloudwatch/logGroup:LogGroup",
  mapping: "aws:lambda/eventSourceMapping:EventSourceMapping",
  parameter: "aws:ssm/parameter:Parameter",
  permission: "aws:lambda/permission:Permission",
  queue: "aws:sqs/queue:Queue",
  redriveAllow: "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy",
  registry: "aws:schemas/registry:Registry",
  role: "aws:iam/role:Role",
  schedule: "aws:scheduler/schedule:Schedule",
  schema: "aws:schemas/schema:Schema",
  subscription: "aws:sns/topicSubscription:TopicSubscription",
  table: "aws:dynamodb/table:Table",
  topic: "aws:sns/topic:Topic",
} as const;

export const REGION = "eu-central-1";
export const ACCOUNT = "123456789012";

export function functionOf(stack: Stack, role: Role): Registered {
  return one(stack, TYPES.function, `${role}Function`);
}

export function functionArn(stack: Stack, role: Role): string {
  return `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${String(at(functionOf(stack, role), "name"))}`;
}

export function workQueue(stack: Stack): Registered {
  return one(stack, TYPES.queue, "Batches");
}

export function deadLetterQueue(stack: Stack): Registered {
  return one(stack, TYPES.queue, "DeadLetters");
}

export function queueArn(queue: Registered): string {
  return `arn:aws:sqs:${REGION}:${ACCOUNT}:${String(at(queue, "name"))}`;
}

export function queueUrl(queue: Registered): string {
  return `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${String(at(queue, "name"))}`;
}

export function tableArn(stack: Stack): string {
  return `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${String(at(one(stack, TYPES.table), "name"))}`;
}

/** Where alarms go in this stack; null: nowhere. */
export function topicArn(stack: Stack, wanted: AlarmTopicArn): string | null {
  if (wanted !== "own") return wanted;
  return `arn:aws:sns:${REGION}:${ACCOUNT}:${String(at(one(stack, TYPES.topic), "name"))}`;
}

/** The role that belongs to a function, or to the schedule (`ReaderSchedule`). */
export function roleOf(stack: Stack, owner: string): Registered {
  const found = all(stack, TYPES.role).find(({ name }) => name === `${owner}Role`);
  if (found === undefined) throw new Error(`no role of ${owner}`);
  return found;
}

/** `ReaderSchedule`, `AuditSchedule` */
export function scheduleOf(stack: Stack, name: string): Registered {
  const found = all(stack, TYPES.schedule).find((schedule) => schedule.name === `${name}Schedule`);
  if (found === undefined) throw new Error(`no schedule ${name}`);
  return found;
}
