/** Lambda: what CreateFunction and its neighbours refuse beyond their models. */
import { callsOf, fieldsOf, listOf, textOf } from "../call.ts";
import { nameInArn, roleOf, rule, unless, type Rule } from "./rule.ts";
import { allows, mayBeAssumedBy } from "./policies.ts";

const LONGEST_NAME = 64;
const LONGEST_TIMEOUT_SECONDS = 900;
const MOST_MEMORY_MB = 10_240;
const LARGEST_ENVIRONMENT_BYTES = 4096;
/** A new account may have fewer; docs/operations.md, "First deploy". */
const ACCOUNT_CONCURRENCY = 1000;
const LEAST_UNRESERVED = 100;

/** The model lists every runtime there ever was. Lambda creates functions only for those that it still supports. */
const RUNTIMES = ["nodejs22.x", "nodejs24.x", "provided.al2023"];

const RESERVED_NAMES =
  /^(_HANDLER|_X_AMZN_TRACE_ID|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR|AWS_(DEFAULT_)?REGION|AWS_EXECUTION_ENV|AWS_ACCESS_KEY(_ID)?|AWS_SECRET_(ACCESS_)?KEY|AWS_SESSION_TOKEN|AWS_LAMBDA_(FUNCTION_(NAME|MEMORY_SIZE|VERSION)|INITIALIZATION_TYPE|LOG_(GROUP|STREAM)_NAME|RUNTIME_API))$/;

/** Lambda asks whether the role may, before it creates the function. A managed policy that grants it is not looked into. */
const TRACING = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];
const NETWORKING = ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"];
const RECEIVING = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

export const FUNCTION_RULES: readonly Rule[] = [
  rule("a function's name has 64 characters at most", "lambda.CreateFunction", ({ FunctionName: name }) =>
    unless(/^[\w-]{1,64}$/.test(textOf(name)), `${textOf(name)} has ${textOf(name).length} of ${LONGEST_NAME}`),
  ),
  rule("a function runs for 900 s at most", "lambda.CreateFunction", ({ Timeout: seconds }) =>
    unless(Number(seconds) <= LONGEST_TIMEOUT_SECONDS, `${textOf(seconds)} s`),
  ),
  rule("a function has 10,240 MB at most", "lambda.CreateFunction", ({ MemorySize: mb }) =>
    unless(Number(mb) <= MOST_MEMORY_MB, `${textOf(mb)} MB`),
  ),
  rule("a function's runtime is one that can still be created", "lambda.CreateFunction", ({ Runtime: runtime }) =>
    unless(RUNTIMES.includes(textOf(runtime)), `${textOf(runtime)} is none of ${RUNTIMES.join(", ")}`),
  ),
  rule("a function's archive comes with a handler and a place", "lambda.CreateFunction", (input) => {
    const code = fieldsOf(input["Code"]);
    const needed = { Handler: input["Handler"], S3Bucket: code["S3Bucket"], S3Key: code["S3Key"] };
    return Object.entries(needed).flatMap(([name, value]) => unless(Boolean(value), `${name} is not set`));
  }),
  rule(
    "an environment has 4,096 bytes at most, counted as JSON",
    "lambda.CreateFunction",
    ({ Environment: environment }) => {
      const bytes = environmentBytes(fieldsOf(fieldsOf(environment)["Variables"]));
      return unless(bytes <= LARGEST_ENVIRONMENT_BYTES, `the environment has ${bytes} bytes`);
    },
  ),
  rule("an environment sets none of Lambda's own names", "lambda.CreateFunction", ({ Environment: environment }) =>
    Object.keys(fieldsOf(fieldsOf(environment)["Variables"]))
      .filter((name) => RESERVED_NAMES.test(name))
      .map((name) => `${name} is Lambda's own`),
  ),
  rule("a level of logs needs the format JSON", "lambda.CreateFunction", ({ LoggingConfig: logging }) => {
    const { LogFormat: format, ApplicationLogLevel: own, SystemLogLevel: system } = fieldsOf(logging);
    return unless(format === "JSON" || (own ?? system) === undefined, `a level with the format ${textOf(format)}`);
  }),
  rule("Lambda may assume a function's role", "lambda.CreateFunction", ({ Role: arn }, calls) => {
    const role = roleOf(calls, arn);
    if (role === undefined) return [`${textOf(arn)} is not created`];
    return unless(mayBeAssumedBy(role.input, "lambda.amazonaws.com"), `${role.of} does not let Lambda assume it`);
  }),
  rule("a function's role allows what the function is told to do", "lambda.CreateFunction", (input, calls) => {
    const role = roleOf(calls, input["Role"]);
    if (role === undefined) return [];
    const needed = [
      ...(fieldsOf(input["TracingConfig"])["Mode"] === "Active" ? TRACING : []),
      ...(listOf(fieldsOf(input["VpcConfig"])["SubnetIds"]).length > 0 ? NETWORKING : []),
    ];
    return needed.filter((action) => !allows(calls, role, action, "*")).map((action) => `${role.of} lacks ${action}`);
  }),
  {
    name: "100 executions of the account stay unreserved",
    run: (calls) => {
      const reserved = callsOf(calls, "lambda.PutFunctionConcurrency");
      const sum = reserved.reduce((all, { input }) => all + Number(input["ReservedConcurrentExecutions"]), 0);
      return unless(sum <= ACCOUNT_CONCURRENCY - LEAST_UNRESERVED, `${sum} of ${ACCOUNT_CONCURRENCY} are reserved`);
    },
  },
  rule("what belongs to a function belongs to one of these", "lambda.PutFunctionEventInvokeConfig", existing),
  rule("a function's address belongs to one of these", "lambda.CreateFunctionUrlConfig", existing),
  rule("a mapping's function is one of these", "lambda.CreateEventSourceMapping", existing),
  rule("a queue's mapping sets nothing that is a stream's", "lambda.CreateEventSourceMapping", (input) =>
    [
      "StartingPosition",
      "ParallelizationFactor",
      "BisectBatchOnFunctionError",
      "MaximumRecordAgeInSeconds",
      "MaximumRetryAttempts",
      "TumblingWindowInSeconds",
      "Topics",
      "Queues",
    ]
      .filter((name) => input[name] !== undefined)
      .map((name) => `${name} is for streams`),
  ),
  rule("more than ten messages a batch need a window", "lambda.CreateEventSourceMapping", (input) => {
    const { BatchSize: size, MaximumBatchingWindowInSeconds: window } = input;
    return unless(Number(size) <= 10 || Number(window ?? 0) >= 1, `${textOf(size)} at once without a window`);
  }),
  rule(
    "a queue hides a message for as long as its function may run",
    "lambda.CreateEventSourceMapping",
    (input, calls) => {
      const queue = queueOf(input["EventSourceArn"], calls);
      if (queue === undefined) return [`${textOf(input["EventSourceArn"])} is not created`];
      const [hidden, runs] = [
        Number(fieldsOf(queue.input["Attributes"])["VisibilityTimeout"]),
        Number(functionNamed(input["FunctionName"], calls)?.input["Timeout"]),
      ];
      return unless(!(hidden < runs), `${hidden} s, and the function runs for ${runs} s`);
    },
  ),
  rule("a mapping's function may receive from its queue", "lambda.CreateEventSourceMapping", (input, calls) => {
    const role = roleOf(calls, functionNamed(input["FunctionName"], calls)?.input["Role"]);
    if (role === undefined) return [];
    return RECEIVING.filter((action) => !allows(calls, role, action, textOf(input["EventSourceArn"]))).map(
      (action) => `${role.of} does not allow ${action} on ${textOf(input["EventSourceArn"])}`,
    );
  }),
];

/** Lambda says in its refusal what it measured: the variables as one JSON object. */
export function environmentBytes(variables: Readonly<Record<string, unknown>>): number {
  return Buffer.byteLength(JSON.stringify(variables));
}

function existing(input: Readonly<Record<string, unknown>>, calls: Parameters<Rule["run"]>[0]): readonly string[] {
  return unless(
    functionNamed(input["FunctionName"], calls) !== undefined,
    `${textOf(input["FunctionName"])} is not created`,
  );
}

function functionNamed(nameOrArn: unknown, calls: Parameters<Rule["run"]>[0]) {
  return callsOf(calls, "lambda.CreateFunction").find(({ input }) => input["FunctionName"] === nameInArn(nameOrArn));
}

function queueOf(arn: unknown, calls: Parameters<Rule["run"]>[0]) {
  return callsOf(calls, "sqs.CreateQueue").find(({ input }) => input["QueueName"] === nameInArn(arn));
}
