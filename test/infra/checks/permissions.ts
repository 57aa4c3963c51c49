/** Who may do what, written down a second time: a permission that is added without a reason has to be added here, too. */
import { all, at, type Registered, type Stack } from "../stack.ts";
import { hasScheduledAudit, holds, json, same, type Check, type Expected } from "./check.ts";
import { isInside } from "./functions.ts";
import {
  ACCOUNT,
  deadLetterQueue,
  functionArn,
  functionOf,
  queueArn,
  REGION,
  ROLES,
  roleOf,
  tableArn,
  topicArn,
  TYPES,
  workQueue,
  type Role,
} from "./find.ts";

interface Statement {
  /** "deny", or left out. */
  readonly effect?: string | undefined;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: readonly unknown[] | null;
}

/** A run and its pace are read with one request, and whoever changes a run changes its pace. */
const PACE_ACCESS = ["pace#*: Get Update", "run#* pace#*: BatchGet"];

/** Which runs there are: looked at by all, and tidied up by whoever finds a finished one among the open ones. */
const RUNS_ACCESS = ["runs pointer: Get BatchGet Update", "runs: Query"];

/** `run#*: Get Update` is GetItem and UpdateItem on items whose partition key begins with `run#`. */
const TABLE_ACCESS: Readonly<Record<Role, readonly string[]>> = {
  Reader: [
    ...RUNS_ACCESS,
    "run#*: Get Put Update Delete Query",
    ...PACE_ACCESS,
    "windows#*: Put Delete Query",
    "ledger#*: Get Update Delete Query",
    "notes#*: Put Update Delete Query",
    "resync#*: Get Update Delete Query",
  ],
  Consumer: [
    ...RUNS_ACCESS,
    "run#*: Get Update Query",
    ...PACE_ACCESS,
    "ledger#*: Get Update",
    "notes#*: Put Update",
    "resync#*: Get Put Update Delete",
  ],
  Control: [
    ...RUNS_ACCESS,
    "run#*: Get Put Update Delete Query",
    ...PACE_ACCESS,
    "windows#*: Query",
    "ledger#*: Put Query",
    "notes#*: Put Update Delete Query",
    "resync#*: Get Put Update Query",
  ],
  Status: [
    ...RUNS_ACCESS,
    "run#*: Get Query",
    "pace#*: Get",
    "run#* pace#*: BatchGet",
    "windows#*: Query",
    "ledger#*: Query",
    "notes#*: Delete Query",
    "resync#*: Query",
  ],
};

/** Actions of SQS on the work queue and on the dead-letter queue. */
const QUEUE_ACCESS: Readonly<Record<Role, { work: readonly string[]; dead: readonly string[] }>> = {
  Reader: { work: ["SendMessage", "GetQueueAttributes"], dead: ["ReceiveMessage", "GetQueueAttributes"] },
  Consumer: {
    work: ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"],
    dead: ["SendMessage"],
  },
  Control: {
    work: ["SendMessage", "GetQueueAttributes"],
    dead: ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"],
  },
  Status: { work: ["GetQueueAttributes"], dead: ["GetQueueAttributes"] },
};

const TELLERS: ReadonlySet<Role> = new Set(["Reader", "Consumer"]);

export const PERMISSIONS: readonly Check[] = [
  ...ROLES.map((role): Check => ({
    name: `the ${role.toLowerCase()}'s policy, statement by statement`,
    run: (stack, expected) => {
      if (expected.isDev) return [];
      const actual = statementsOf(stack, role).map(show);
      const wanted = wantedStatements(stack, role, expected);
      return [
        ...wanted.filter((line) => !actual.includes(line)).map((line) => `${role} lacks ${line}`),
        ...actual.filter((line) => !wanted.includes(line)).map((line) => `${role} may also ${line}`),
      ];
    },
  })),
  {
    name: "no wildcard stands for all actions or all resources",
    run: (stack, { isDev, isTraced, network }) =>
      ROLES.flatMap((role) => statementsOf(stack, role))
        // SST's bridge needs its channel in `sst dev`; X-Ray knows no resources.
        .filter(({ actions }) => !(isDev && actions.some((it) => /^(appsync|s3):/.test(it))))
        // EC2 knows no resources for connecting a function to a VPC.
        .filter(({ actions }) => !(network !== null && actions.every((it) => it.startsWith("ec2:"))))
        .filter(({ actions }) => !(isTraced && actions.every((it) => it.startsWith("xray:"))))
        .flatMap((statement) => [
          ...holds(`an action in ${show(statement)}`, !statement.actions.some((action) => action.includes("*"))),
          ...holds(`a resource in ${show(statement)}`, !statement.resources.some(isTooWide)),
        ]),
  },
  {
    name: "the consumer cannot send to the queue it is fed by",
    run: (stack) => {
      const work = queueArn(workQueue(stack));
      const senders = statementsOf(stack, "Consumer").filter(({ actions }) => actions.includes("sqs:SendMessage"));
      return holds(
        "the consumer may send to the work queue",
        !senders.some(({ resources }) => resources.includes(work)),
      );
    },
  },
  {
    name: "functions' roles are assumed by Lambda alone and carry no managed policy",
    run: (stack, { isDev }) =>
      isDev
        ? []
        : ROLES.flatMap((role) => [
            ...same(`who assumes ${role}'s role`, trustOf(roleOf(stack, role)), ["lambda.amazonaws.com"]),
            ...same(`${role}'s managed policies`, at(roleOf(stack, role), "managedPolicyArns"), []),
          ]),
  },
  {
    name: "the scheduler may invoke the reader and do nothing else",
    run: (stack) => {
      const role = roleOf(stack, "ReaderSchedule");
      return [
        ...same("who assumes the schedule's role", trustOf(role), ["scheduler.amazonaws.com"]),
        ...same("what it may do", inlineStatements(role).map(show), [
          show({ actions: ["lambda:InvokeFunction"], resources: [functionArn(stack, "Reader")] }),
        ]),
      ];
    },
  },
  {
    name: "there are no roles but these five, and one for the schedule of audits where it is asked for",
    run: (stack, expected) =>
      same(
        "roles",
        all(stack, TYPES.role)
          .map(({ name }) => name)
          .sort(),
        [...ROLES, "ReaderSchedule", ...(hasScheduledAudit(expected) ? ["AuditSchedule"] : [])]
          .map((owner) => `${owner}Role`)
          .sort(),
      ),
  },
];

function wantedStatements(stack: Stack, role: Role, expected: Expected): readonly string[] {
  const work = queueArn(workQueue(stack));
  const dead = queueArn(deadLetterQueue(stack));
  const { work: onWork, dead: onDead } = QUEUE_ACCESS[role];
  const sqs = (actions: readonly string[], resources: readonly string[]): Statement => ({
    actions: actions.map((action) => `sqs:${action}`),
    resources,
  });
  const queues = role === "Status" ? [sqs(onWork, [work, dead])] : [sqs(onWork, [work]), sqs(onDead, [dead])];
  const topic = topicArn(stack, expected.alarmTopicArn);
  const logGroup = String(at(functionOf(stack, role), "loggingConfig", "logGroup"));

  return [
    {
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      resources: [`arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${logGroup}:*`],
    },
    ...TABLE_ACCESS[role].map((line) => tableStatement(stack, line)),
    ...queues,
    ...(topic !== null && TELLERS.has(role) ? [{ actions: ["sns:Publish"], resources: [topic] }] : []),
    ...(isInside(role) && expected.network !== null ? networkStatements(stack, role) : []),
    ...(isInside(role) && expected.databaseUserArn !== null
      ? [{ actions: ["rds-db:connect"], resources: [expected.databaseUserArn] }]
      : []),
    ...(expected.isTraced
      ? [{ actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], resources: ["*"] }]
      : []),
  ].map(show);
}

/** Lambda's service may connect the function; the function's own code may not. */
function networkStatements(stack: Stack, role: Role): readonly Statement[] {
  const actions = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
  ];
  const ofItself = { test: "ArnEquals", values: [functionArn(stack, role)], variable: "lambda:SourceFunctionArn" };
  return [
    { actions, resources: ["*"] },
    { effect: "deny", actions, resources: ["*"], conditions: [ofItself] },
  ];
}

function tableStatement(stack: Stack, line: string): Statement {
  const [key = "", actions = ""] = line.split(": ");
  return {
    actions: actions.split(" ").map((verb) => (verb === "Query" ? "dynamodb:Query" : `dynamodb:${verb}Item`)),
    resources: [tableArn(stack)],
    conditions: [{ test: "ForAllValues:StringLike", values: key.split(" "), variable: "dynamodb:LeadingKeys" }],
  };
}

function statementsOf(stack: Stack, role: Role): readonly Statement[] {
  return inlineStatements(roleOf(stack, role));
}

function inlineStatements(role: Registered): readonly Statement[] {
  const policies = (at(role, "inlinePolicies") ?? []) as { policy: unknown }[];
  return policies.flatMap(({ policy }) => json(role, policy)["Statement"] as Statement[]);
}

/** The principals of the role's trust policy. */
function trustOf(role: Registered): readonly string[] {
  const policy = at(role, "assumeRolePolicy");
  const document = (typeof policy === "string" ? JSON.parse(policy) : policy) as { Statement: TrustStatement[] };
  return document.Statement.flatMap((statement) => [
    ...Object.values(statement.Principal ?? {}),
    ...(statement.principals ?? []).flatMap(({ identifiers }) => identifiers),
  ]);
}

interface TrustStatement {
  readonly Principal?: Readonly<Record<string, string>>;
  readonly principals?: readonly { readonly identifiers: readonly string[] }[];
}

/** Anything wider than one thing; a log group's streams are the exception, as Lambda makes their names up. */
function isTooWide(resource: string): boolean {
  return resource.replace(/(:log-group:[^*]+):\*$/, "$1").includes("*");
}

function show({ effect, actions, resources, conditions }: Statement): string {
  const when =
    conditions === undefined || conditions === null || conditions.length === 0 ? "" : ` when ${keyOf(conditions)}`;
  const denied = effect?.toLowerCase() === "deny" ? "not " : "";
  return `${denied}${[...actions].sort().join(" ")} on ${[...resources].sort().join(" ")}${when}`;
}

function keyOf(conditions: readonly unknown[]): string {
  return (conditions as { test: string; variable: string; values: string[] }[])
    .map(({ test, variable, values }) => `${test} ${variable} ${values.join(",")}`)
    .join(" and ");
}
