/**
 * What each function may do, statement by statement: no wildcard in an action, and none in a resource but the streams
 * of the function's own log group, whose names Lambda makes up. Linking a queue or a table would grant `sqs:*` and
 * `dynamodb:*`, so nothing but the secret is linked, and that to consumer and control alone.
 *
 * The table has one partition a run and kind of item, and the policy says which kinds: a consumer that went wrong
 * cannot rewrite a window, and the status page changes no run.
 */
import type { FunctionRole } from "./names.ts";

export type Statement = sst.aws.FunctionPermissionArgs;

/** Partition keys of the checkpoint store, as `dynamodb:LeadingKeys` patterns. */
const KEYS = {
  pointer: "pointer",
  run: "run#*",
  pace: "pace#*",
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
  /** The database user that consumer and control log in as; null: with a password. */
  readonly databaseUserArn: string | null;
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

/**
 * The only writer of windows and cursors; it also begins the first run and sweeps finished windows. It looks into
 * the dead-letter queue and takes nothing out of it.
 */
function readerPermissions(on: Resources): Statement[] {
  return [
    onKeys(on, KEYS.pointer, ["GetItem", "UpdateItem"]),
    onKeys(on, KEYS.run, ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"]),
    ...paceAccess(on),
    onKeys(on, KEYS.windows, ["PutItem", "DeleteItem", "Query"]),
    onKeys(on, KEYS.ledger, ["GetItem", "UpdateItem", "DeleteItem", "Query"]),
    onKeys(on, KEYS.notes, ["PutItem", "UpdateItem", "DeleteItem", "Query"]),
    { actions: ["sqs:SendMessage", "sqs:GetQueueAttributes"], resources: [on.workArn] },
    { actions: ["sqs:ReceiveMessage", "sqs:GetQueueAttributes"], resources: [on.deadLettersArn] },
    ...tellingOf(on),
  ];
}

/**
 * The run, its own ledger entries, its notes; never a window. Of the queue the four actions of the event source mapping,
 * and SendMessage on the dead-letter queue alone: Lambda stops a function that sends to its own queue after about 16
 * hops, and nothing here needs it.
 */
function consumerPermissions(on: Resources): Statement[] {
  return [
    onKeys(on, KEYS.pointer, ["GetItem", "UpdateItem"]),
    onKeys(on, KEYS.run, ["GetItem", "UpdateItem", "Query"]),
    ...paceAccess(on),
    onKeys(on, KEYS.ledger, ["GetItem", "UpdateItem"]),
    onKeys(on, KEYS.notes, ["PutItem", "UpdateItem"]),
    {
      actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
      resources: [on.workArn],
    },
    { actions: ["sqs:SendMessage"], resources: [on.deadLettersArn] },
    ...tellingOf(on),
    ...databaseLogin(on.databaseUserArn),
  ];
}

/**
 * Runs are created, changed and redriven here: dead events get an entry in the ledger and are sent as new batches, and
 * dead letters are received, sent to the work queue and deleted.
 */
function controlPermissions(on: Resources): Statement[] {
  return [
    onKeys(on, KEYS.pointer, ["GetItem", "UpdateItem"]),
    onKeys(on, KEYS.run, ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"]),
    ...paceAccess(on),
    onKeys(on, KEYS.windows, ["Query"]),
    onKeys(on, KEYS.ledger, ["PutItem", "Query"]),
    onKeys(on, KEYS.notes, ["DeleteItem", "Query"]),
    { actions: ["sqs:SendMessage", "sqs:GetQueueAttributes"], resources: [on.workArn] },
    { actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], resources: [on.deadLettersArn] },
    ...databaseLogin(on.databaseUserArn),
  ];
}

/**
 * Reads. Two of the store's reads tidy up behind others: a pointer that a crash left open is closed, and what a consumer
 * that is long gone said of itself is removed.
 */
function statusPermissions(on: Resources): Statement[] {
  return [
    onKeys(on, KEYS.pointer, ["GetItem", "UpdateItem"]),
    onKeys(on, KEYS.run, ["GetItem", "Query"]),
    onKeys(on, KEYS.pace, ["GetItem"]),
    onKeys(on, [KEYS.run, KEYS.pace], ["BatchGetItem"]),
    onKeys(on, KEYS.windows, ["Query"]),
    onKeys(on, KEYS.ledger, ["Query"]),
    onKeys(on, KEYS.notes, ["DeleteItem", "Query"]),
    { actions: ["sqs:GetQueueAttributes"], resources: [on.workArn, on.deadLettersArn] },
  ];
}

/** Instead of AWSLambdaBasicExecutionRole, which may write to every log group of the account and create new ones. */
export function logPermissions(logGroupArn: $util.Input<string>): Statement {
  return { actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: [$interpolate`${logGroupArn}:*`] };
}

/** On `*`, because X-Ray knows no resources for these two. Given when tracing is on. */
export function tracingPermissions(): Statement {
  return { actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], resources: ["*"] };
}

/** What Lambda's service does with a function's role to connect it to a VPC. EC2 knows no resources for some of these. */
const NETWORK_ACTIONS = [
  "ec2:CreateNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DeleteNetworkInterface",
  "ec2:DescribeSubnets",
  "ec2:AssignPrivateIpAddresses",
  "ec2:UnassignPrivateIpAddresses",
];

/** Lambda may; the function's own code, which parses what strangers wrote, may not. */
export function networkPermissions(functionName: string): Statement[] {
  const arn = $interpolate`arn:${aws.getPartitionOutput({}).partition}:lambda:${aws.getRegionOutput({}).region}:${
    aws.getCallerIdentityOutput({}).accountId
  }:function:${functionName}`;
  return [
    { actions: NETWORK_ACTIONS, resources: ["*"] },
    {
      effect: "deny",
      actions: NETWORK_ACTIONS,
      resources: ["*"],
      conditions: [{ test: "ArnEquals", variable: "lambda:SourceFunctionArn", values: [arn] }],
    },
  ];
}

/** Logs in to the database as that user, with a token that the function's own credentials sign. */
function databaseLogin(userArn: string | null): Statement[] {
  return userArn === null ? [] : [{ actions: ["rds-db:connect"], resources: [userArn] }];
}

/** Every function that changes a run changes its pace, too. A run is read together with its pace, in one request. */
function paceAccess(on: Resources): Statement[] {
  return [onKeys(on, KEYS.pace, ["GetItem", "UpdateItem"]), onKeys(on, [KEYS.run, KEYS.pace], ["BatchGetItem"])];
}

type TableAction = "BatchGetItem" | "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" | "Query";

/** Those actions, on items whose partition key is like that, or like one of those. */
function onKeys(on: Resources, key: string | string[], actions: TableAction[]): Statement {
  return {
    actions: actions.map((action) => `dynamodb:${action}`),
    resources: [on.tableArn],
    conditions: [{ test: "ForAllValues:StringLike", variable: "dynamodb:LeadingKeys", values: [key].flat() }],
  };
}

function tellingOf(on: Resources): Statement[] {
  return on.alarmTopicArn === null ? [] : [{ actions: ["sns:Publish"], resources: [on.alarmTopicArn] }];
}
