/**
 * What each function may do, statement by statement. No action has a wildcard, and no resource except the streams
 * of the function's own log group, whose names Lambda generates. Linking a queue or a table would grant `sqs:*` and
 * `dynamodb:*`, so only the secret is linked, and only to consumer and control.
 *
 * The table has one partition for each run and kind of item, and the policy lists the allowed kinds: a faulty consumer
 * cannot rewrite a window, and the status page cannot change a run.
 */
import type { FunctionRole } from "./names.ts";

export type Statement = sst.aws.FunctionPermissionArgs;

/** Partition keys of the checkpoint store, as `dynamodb:LeadingKeys` patterns. */
const KEYS = {
  runs: "runs",
  /** Of a program of before, until the first change carries it over. */
  pointer: "pointer",
  run: "run#*",
  pace: "pace#*",
  windows: "windows#*",
  ledger: "ledger#*",
  notes: "notes#*",
  resync: "resync#*",
} as const;

export interface Resources {
  readonly tableArn: $util.Input<string>;
  readonly workArn: $util.Input<string>;
  readonly deadLettersArn: $util.Input<string>;
  /** The topic for runs that ended or stopped; null: none. */
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
 * The only function that writes windows and cursors; it also begins the first run and sweeps finished windows. It reads the
 * dead-letter queue and removes nothing from it.
 */
function readerPermissions(on: Resources): Statement[] {
  return [
    ...runsAccess(on),
    onKeys(on, KEYS.run, ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"]),
    ...paceAccess(on),
    onKeys(on, KEYS.windows, ["PutItem", "DeleteItem", "Query"]),
    onKeys(on, KEYS.ledger, ["GetItem", "UpdateItem", "DeleteItem", "Query"]),
    onKeys(on, KEYS.notes, ["PutItem", "UpdateItem", "DeleteItem", "Query"]),
    // It takes them, and removes them once their repositories are read.
    onKeys(on, KEYS.resync, ["GetItem", "UpdateItem", "DeleteItem", "Query"]),
    { actions: ["sqs:SendMessage", "sqs:GetQueueAttributes"], resources: [on.workArn] },
    { actions: ["sqs:ReceiveMessage", "sqs:GetQueueAttributes"], resources: [on.deadLettersArn] },
    ...tellingOf(on),
  ];
}

/**
 * The run, its own ledger entries, its notes; never a window. On the queue, only the four actions of the event source mapping;
 * SendMessage only on the dead-letter queue: Lambda stops a function that sends to its own queue after about 16
 * hops, and the consumer never does.
 */
function consumerPermissions(on: Resources): Statement[] {
  return [
    ...runsAccess(on),
    onKeys(on, KEYS.run, ["GetItem", "UpdateItem", "Query"]),
    ...paceAccess(on),
    onKeys(on, KEYS.ledger, ["GetItem", "UpdateItem"]),
    onKeys(on, KEYS.notes, ["PutItem", "UpdateItem"]),
    onKeys(on, KEYS.resync, ["GetItem", "PutItem", "UpdateItem", "DeleteItem"]),
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
 * It creates, changes and redrives runs: dead events get an entry in the ledger and are sent as new batches, and
 * dead letters are received, sent to the work queue and deleted.
 */
function controlPermissions(on: Resources): Statement[] {
  return [
    ...runsAccess(on),
    onKeys(on, KEYS.run, ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"]),
    ...paceAccess(on),
    onKeys(on, KEYS.windows, ["Query"]),
    onKeys(on, KEYS.ledger, ["PutItem", "Query"]),
    // Put and Update: who did what to a run.
    onKeys(on, KEYS.notes, ["PutItem", "UpdateItem", "DeleteItem", "Query"]),
    // An audit places them.
    onKeys(on, KEYS.resync, ["GetItem", "PutItem", "UpdateItem", "Query"]),
    { actions: ["sqs:SendMessage", "sqs:GetQueueAttributes"], resources: [on.workArn] },
    { actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], resources: [on.deadLettersArn] },
    ...databaseLogin(on.databaseUserArn),
  ];
}

/**
 * Reads. Two of the store's reads also tidy up: one takes out a finished run that a crash left among the open ones, the other removes the
 * notes of a consumer that is long gone.
 */
function statusPermissions(on: Resources): Statement[] {
  return [
    ...runsAccess(on),
    onKeys(on, KEYS.run, ["GetItem", "Query"]),
    onKeys(on, KEYS.pace, ["GetItem"]),
    onKeys(on, [KEYS.run, KEYS.pace], ["BatchGetItem"]),
    onKeys(on, KEYS.windows, ["Query"]),
    onKeys(on, KEYS.ledger, ["Query"]),
    onKeys(on, KEYS.notes, ["DeleteItem", "Query"]),
    onKeys(on, KEYS.resync, ["Query"]),
    { actions: ["sqs:GetQueueAttributes"], resources: [on.workArn, on.deadLettersArn] },
  ];
}

/** The list of runs. Each function may find a finished run among the open ones, and takes it out. */
function runsAccess(on: Resources): Statement[] {
  return [
    onKeys(on, [KEYS.runs, KEYS.pointer], ["GetItem", "BatchGetItem", "UpdateItem"]),
    onKeys(on, KEYS.runs, ["Query"]),
  ];
}

/** Replaces AWSLambdaBasicExecutionRole, which may write to every log group of the account and create new ones. */
export function logPermissions(logGroupArn: $util.Input<string>): Statement {
  return { actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: [$interpolate`${logGroupArn}:*`] };
}

/** On `*`, because X-Ray has no resources for these two actions. Used only if tracing is on. */
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

/** Every function that changes a run also changes its pace. A run is read together with its pace, in one request. */
function paceAccess(on: Resources): Statement[] {
  return [onKeys(on, KEYS.pace, ["GetItem", "UpdateItem"]), onKeys(on, [KEYS.run, KEYS.pace], ["BatchGetItem"])];
}

type TableAction = "BatchGetItem" | "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" | "Query";

/** Allows the actions on items whose partition key matches the pattern, or one of the patterns. */
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
