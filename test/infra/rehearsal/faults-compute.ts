/** Faults in functions, their neighbours and the schedule. */
import { fault, set, type Fault } from "./fault.ts";
import { THE_MODEL } from "./rehearse.ts";

const VARIABLES = ["ConsumerFunction", "environment", "variables"] as const;
const SCHEDULE = "ReaderScheduleSchedule";

/** 3,400 bytes of values that have 6,800 as JSON. */
const QUOTES = '"'.repeat(3400);
const DIDS = Array.from({ length: 130 }, (_, index) => `did:plc:${String(index).padStart(24, "a")}`).join(",");

export const COMPUTE_FAULTS: readonly Fault[] = [
  set(
    "a function's name has 64 characters at most",
    "issue 18.1: 70 characters",
    "70 of 64",
    ["ConsumerFunction", "name"],
    "f".repeat(70),
  ),
  set("a function runs for 900 s at most", "901 s", "901 s", ["ReaderFunction", "timeout"], 901),
  set("a function has 10,240 MB at most", "10,241 MB", "10241 MB", ["ReaderFunction", "memorySize"], 10_241),
  set(
    "a function's runtime is one that can still be created",
    "Node 16",
    "nodejs16.x",
    ["StatusFunction", "runtime"],
    "nodejs16.x",
  ),
  set(
    "a function's archive comes with a handler and a place",
    "no handler",
    "Handler",
    ["StatusFunction", "handler"],
    undefined,
  ),
  set(
    "a function's archive comes with a handler and a place",
    "no archive",
    "S3Key",
    ["StatusFunction", "s3Key"],
    undefined,
  ),
  set(
    "an environment has 4,096 bytes at most, counted as JSON",
    "issue 18.1: a list of DIDs",
    "bytes",
    [...VARIABLES, "BACKFILL_DIDS"],
    DIDS,
  ),
  set(
    "an environment has 4,096 bytes at most, counted as JSON",
    "quotes, which take two bytes each",
    "the environment has 7",
    [...VARIABLES, "BACKFILL_THROTTLE_QUERY"],
    QUOTES,
  ),
  set(
    "an environment sets none of Lambda's own names",
    "the region",
    "AWS_REGION",
    [...VARIABLES, "AWS_REGION"],
    "eu-central-1",
  ),
  set(
    "a level of logs needs the format JSON",
    "a level of a text",
    "Text",
    ["ReaderFunction", "loggingConfig", "logFormat"],
    "Text",
  ),
  fault("Lambda may assume a function's role", "somebody else may", "does not let Lambda", (it) =>
    it.replace("ReaderRole", "lambda.amazonaws.com", "ec2.amazonaws.com"),
  ),
  fault("Lambda may assume a function's role", "there is no such role", "is not created", (it) =>
    it.remove("ReaderRole"),
  ),
  set(
    "a function's role allows what the function is told to do",
    "tracing without its rights",
    "lacks xray:PutTraceSegments",
    ["ReaderFunction", "tracingConfig"],
    { mode: "Active" },
  ),
  set(
    "a function's role allows what the function is told to do",
    "a network without its rights",
    "lacks ec2:CreateNetworkInterface",
    ["ReaderFunction", "vpcConfig"],
    { subnetIds: ["subnet-1"], securityGroupIds: ["sg-1"] },
  ),
  set(THE_MODEL, "a tag's name of 129 characters", "128 is the most", ["ReaderFunction", "tags"], {
    ["t".repeat(129)]: "",
  }),
  set(
    "100 executions of the account stay unreserved",
    "901 of 1,000",
    "902 of 1000",
    ["ConsumerFunction", "reservedConcurrentExecutions"],
    901,
  ),
  set(
    "what belongs to a function belongs to one of these",
    "another name",
    "is not created",
    ["ReaderEventInvokeConfig", "functionName"],
    "firehose-backfill-production-raeder",
  ),
  set(
    "a function's address belongs to one of these",
    "another name",
    "is not created",
    ["StatusUrl", "functionName"],
    "firehose-backfill-production-state",
  ),
  fault("a mapping's function is one of these", "another name", "is not created", (it) =>
    it.replace("BatchesSubscriber", "production-consumer", "production-consumers"),
  ),
  set(
    "a queue's mapping sets nothing that is a stream's",
    "a starting position",
    "StartingPosition",
    ["BatchesSubscriber", "startingPosition"],
    "LATEST",
  ),
  set(
    "more than ten messages a batch need a window",
    "100 at once",
    "100 at once",
    ["BatchesSubscriber", "batchSize"],
    100,
  ),
  set(
    "a queue hides a message for as long as its function may run",
    "20 s",
    "20 s",
    ["BatchesQueue", "visibilityTimeoutSeconds"],
    20,
  ),
  fault("a mapping's function may receive from its queue", "the role lacks a right", "sqs:DeleteMessage", (it) =>
    it.replace("ConsumerRole", String.raw`\"sqs:DeleteMessage\",`, ""),
  ),
  fault("a mapping's function may receive from its queue", "on another queue", "sqs:ReceiveMessage", (it) =>
    it.replace("BatchesSubscriber", "BatchesQueue", "DeadLettersQueue"),
  ),

  set(THE_MODEL, "issue 18.1: a function's runtime misspelt", "node24", ["ReaderFunction", "runtime"], "node24"),
  set(
    THE_MODEL,
    "issue 18.1: a function with too little memory",
    "128 is the least",
    ["ReaderFunction", "memorySize"],
    64,
  ),
  set(THE_MODEL, "a function's number as a text", "is no number", ["ReaderFunction", "timeout"], "120"),
  set(THE_MODEL, "a function's property that is not translated", "Vpc is not a member", ["ReaderFunction", "vpc"], {}),
  set(THE_MODEL, "a function's variable with a hyphen", "BACKFILL-DAYS", [...VARIABLES, "BACKFILL-DAYS"], "1"),
  set(THE_MODEL, "an architecture", "arm", ["ReaderFunction", "architectures"], ["arm"]),
  set(THE_MODEL, "a tracing mode", "on", ["ReaderFunction", "tracingConfig"], { mode: "on" }),
  set(
    THE_MODEL,
    "a reservation below none",
    "0 is the least",
    ["ConsumerFunction", "reservedConcurrentExecutions"],
    -2,
  ),
  set(THE_MODEL, "three asynchronous tries", "2 is the most", ["ReaderEventInvokeConfig", "maximumRetryAttempts"], 3),
  set(
    THE_MODEL,
    "issue 18.1: an event that is too old after 59 s",
    "60 is the least",
    ["ReaderEventInvokeConfig", "maximumEventAgeInSeconds"],
    59,
  ),
  set(THE_MODEL, "an address's authorization", "IAM", ["StatusUrl", "authorizationType"], "IAM"),
  set(
    THE_MODEL,
    "issue 18.1: a mapping that offers one",
    "2 is the least",
    ["BatchesSubscriber", "scalingConfig", "maximumConcurrency"],
    1,
  ),
  set(
    THE_MODEL,
    "a mapping's answer",
    "ReportBatchFailures",
    ["BatchesSubscriber", "functionResponseTypes"],
    ["ReportBatchFailures"],
  ),
  set(THE_MODEL, "an archive without a place", "Key is required", ["ConsumerCode", "key"], undefined),

  set(
    "a schedule's expression is one that Scheduler reads",
    "issue 18.1: rate(1 minutes)",
    "rate(1 minutes)",
    [SCHEDULE, "scheduleExpression"],
    "rate(1 minutes)",
  ),
  set(
    "a schedule's expression is one that Scheduler reads",
    "issue 18.1: a cron of five fields",
    "cron(* * * * *)",
    [SCHEDULE, "scheduleExpression"],
    "cron(* * * * *)",
  ),
  set(
    "a schedule's time zone exists",
    "one that does not",
    "Europe/Berln",
    [SCHEDULE, "scheduleExpressionTimezone"],
    "Europe/Berln",
  ),
  set(
    "a window has a length where it is flexible, and none where it is off",
    "no length",
    "FLEXIBLE",
    [SCHEDULE, "flexibleTimeWindow", "mode"],
    "FLEXIBLE",
  ),
  set(
    "what a schedule sends is JSON of 256 KB at most",
    "no JSON",
    "{action",
    [SCHEDULE, "target", "input"],
    "{action: tick}",
  ),
  fault("what a schedule fills in is a word of Scheduler's", "misspelt", "schedule-time", (it) =>
    it.replace(SCHEDULE, "scheduled-time", "schedule-time"),
  ),
  fault(
    "Scheduler may assume the schedule's role, which may invoke the target",
    "Lambda may instead",
    "does not let Scheduler",
    (it) => it.replace("ReaderScheduleRole", "scheduler.amazonaws.com", "lambda.amazonaws.com"),
  ),
  fault(
    "Scheduler may assume the schedule's role, which may invoke the target",
    "it may invoke another",
    "does not allow",
    (it) => it.replace("ReaderScheduleRole", "production-reader", "production-consumer"),
  ),
  fault("a schedule's target is a function of this deploy", "another", "is not created", (it) =>
    it.replace(SCHEDULE, "function:firehose", "function:firehoses"),
  ),
  set(THE_MODEL, "issue 18.1: a schedule's name with a blank", "does not match", [SCHEDULE, "name"], "every minute"),
  set(THE_MODEL, "a schedule's state", "ON", [SCHEDULE, "state"], "ON"),
  set(THE_MODEL, "a schedule without a role", "RoleArn is required", [SCHEDULE, "target", "roleArn"], undefined),
];
