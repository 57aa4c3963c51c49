/**
 * What each function may do, statement by statement: no wildcard in an action, and none in a resource but the streams
 * of the function's own log group, whose names Lambda makes up. Linking a queue or a table would grant `sqs:*` and
 * `dynamodb:*`, so nothing but the secret is linked.
 *
 * The table has one partition a run and kind; the prefixes below are the store's own. They are what keeps a consumer
 * that went wrong away from another run's pointer, and the status page from everything that writes.
 */
import type { FunctionRole } from "./names.ts";

export type Statement = sst.aws.FunctionPermissionArgs;

/** Partition keys of the checkpoint store, as `dynamodb:LeadingKeys` patterns. */
const KEYS = {
  pointer: "pointer",
  run: "run#*",
  windows: "windows#*",
  ledger: "ledger#*",
  notes: "notes#*",
} as const;

export interface Resources {
  readonly tableArn: $util.Input<string>;
  readonly workArn: $util.Input<string>;
  readonly deadLettersArn: $util.Input<string>;
  /** Where a run that ended or stopped is told; null: nowhere. */
  readonly alarmTopicArn: $util.Input<string> | null;
}

export function permissionsOf(role: FunctionRole, on: Resources): Statement[] {
  switch (role) {
    case "reader":
      return readerPermissions(on);
    case "consumer":
      return consumerPermissions(on);
    case "control":
      return controlPermissions(on);
    case "status":
      return statusPermissions(on);
    default: {
      const unreachable: never = role;
      throw new Error(`no permissions are written for ${String(unreachable)}`);
    }
  }
}

/** The one writer of windows, cursors and folds. It looks into the dead-letter queue and takes nothing out of it. */
function readerPermissions(on: Resources): Statement[] {
  return [
    onKeys(on, ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], [KEYS.pointer, KEYS.run]),
    onKeys(
      on,
      ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"],
      [KEYS.windows, KEYS.ledger, KEYS.notes],
    ),
    { actions: ["sqs:SendMessage", "sqs:GetQueueAttributes"], resources: [on.workArn] },
    { actions: ["sqs:ReceiveMessage", "sqs:GetQueueAttributes"], resources: [on.deadLettersArn] },
    ...tellingOf(on),
  ];
}

/**
 * The four actions of the event source mapping, and SendMessage on the dead-letter queue alone: Lambda stops a function
 * that sends to its own queue after about 16 hops, and nothing here needs it.
 */
function consumerPermissions(on: Resources): Statement[] {
  return [
    onKeys(on, ["dynamodb:GetItem", "dynamodb:UpdateItem"], [KEYS.run]),
    onKeys(on, ["dynamodb:GetItem"], [KEYS.windows]),
    onKeys(on, ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], [KEYS.ledger]),
    onKeys(on, ["dynamodb:PutItem", "dynamodb:UpdateItem"], [KEYS.notes]),
    {
      actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
      resources: [on.workArn],
    },
    { actions: ["sqs:SendMessage"], resources: [on.deadLettersArn] },
    ...tellingOf(on),
  ];
}

/** Runs are created, changed and redriven here. A redrive names the work queue as its destination, hence SendMessage. */
function controlPermissions(on: Resources): Statement[] {
  return [
    onKeys(on, ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], [KEYS.pointer, KEYS.run]),
    onKeys(on, ["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:Query"], [KEYS.windows, KEYS.ledger]),
    onKeys(on, ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query"], [KEYS.notes]),
    { actions: ["sqs:SendMessage", "sqs:GetQueueAttributes"], resources: [on.workArn] },
    {
      actions: [
        "sqs:StartMessageMoveTask",
        "sqs:ListMessageMoveTasks",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
      ],
      resources: [on.deadLettersArn],
    },
  ];
}

/** Reads, and reads only. */
function statusPermissions(on: Resources): Statement[] {
  return [
    onKeys(
      on,
      ["dynamodb:GetItem", "dynamodb:Query"],
      [KEYS.pointer, KEYS.run, KEYS.windows, KEYS.ledger, KEYS.notes],
    ),
    { actions: ["sqs:GetQueueAttributes"], resources: [on.workArn, on.deadLettersArn] },
  ];
}

/** Instead of AWSLambdaBasicExecutionRole, which may write to every log group of the account and create new ones. */
export function logPermissions(logGroupArn: $util.Input<string>): Statement {
  return { actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: [$interpolate`${logGroupArn}:*`] };
}

/** The only statement on `*`: X-Ray knows no resources for these two. Given when tracing is on. */
export function tracingPermissions(): Statement {
  return { actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], resources: ["*"] };
}

function onKeys(on: Resources, actions: string[], prefixes: string[]): Statement {
  return {
    actions,
    resources: [on.tableArn],
    conditions: [{ test: "ForAllValues:StringLike", variable: "dynamodb:LeadingKeys", values: prefixes }],
  };
}

function tellingOf(on: Resources): Statement[] {
  return on.alarmTopicArn === null ? [] : [{ actions: ["sns:Publish"], resources: [on.alarmTopicArn] }];
}
