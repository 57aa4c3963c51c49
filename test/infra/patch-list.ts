/** The faults themselves, in the order of the checks. */
import { TYPES } from "./checks/find.ts";
import type { Patch, Patchable } from "./patches.ts";

function patch(check: string, fault: string, apply: (stack: Patchable) => void, expected?: Patch["expected"]): Patch {
  return { check, fault, apply, ...(expected === undefined ? {} : { expected }) };
}

const POLICY = ["inlinePolicies", 0, "policy"] as const;

function policyOf(statements: readonly object[]): string {
  return JSON.stringify({ Statement: statements });
}

const NETWORK = { subnetIds: ["subnet-01234567"], securityGroupIds: ["sg-01234567"] };
const IN_NETWORK = "consumer and control are in the network that was asked for, reader and status in none";

export const PATCHES: readonly Patch[] = [
  patch(IN_NETWORK, "a reader that cannot reach the relay", (it) =>
    it.set("ReaderFunction", ["vpcConfig"], { ...NETWORK }),
  ),
  patch(IN_NETWORK, "a consumer outside, though it was asked for", () => {}, { network: NETWORK }),
  patch("the settings are kept with the stage, and not in sst dev", "one is left out", (it) =>
    it.set("KeptSettings", ["value"], "{}"),
  ),
  patch("the control's policy, statement by statement", "no login, though IAM was asked for", () => {}, {
    databaseUserArn: "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABC/backfill",
  }),
  patch("the consumer reserves max-concurrent, or nothing", "one too many", (it) =>
    it.set("ConsumerFunction", ["reservedConcurrentExecutions"], 3),
  ),
  patch("the consumer reserves max-concurrent, or nothing", "none", (it) =>
    it.set("ConsumerFunction", ["reservedConcurrentExecutions"], undefined),
  ),
  patch("the consumer reserves max-concurrent, or nothing", "though it was switched off", () => {}, {
    isReserved: false,
  }),
  patch("one reader at a time, or nothing reserved", "two", (it) =>
    it.set("ReaderFunction", ["reservedConcurrentExecutions"], 2),
  ),
  patch("nothing is reserved for control and status", "one for status", (it) =>
    it.set("StatusFunction", ["reservedConcurrentExecutions"], 1),
  ),
  patch("the mapping offers at most max-concurrent, and two at least", "no cap", (it) =>
    it.set("BatchesSubscriber", ["scalingConfig"], undefined),
  ),
  patch("the mapping offers at most max-concurrent, and two at least", "the default's for seven", () => {}, {
    maxConcurrent: 7,
  }),
  patch("the mapping hands one batch to the consumer, at once", "ten at a time", (it) =>
    it.set("BatchesSubscriber", ["batchSize"], 10),
  ),
  patch("the mapping hands one batch to the consumer, at once", "a window", (it) =>
    it.set("BatchesSubscriber", ["maximumBatchingWindowInSeconds"], 5),
  ),
  patch("the mapping hands one batch to the consumer, at once", "of the dead-letter queue", (it) =>
    it.replace("BatchesSubscriber", "BatchesQueue", "DeadLettersQueue"),
  ),
  patch("partial responses", "none", (it) => it.set("BatchesSubscriber", ["functionResponseTypes"], [])),
  patch("a message is hidden for at least six times the consumer's timeout", "SST's default", (it) =>
    it.set("BatchesQueue", ["visibilityTimeoutSeconds"], 30),
  ),
  patch("a message is hidden for at least six times the consumer's timeout", "a longer timeout", (it) =>
    it.set("ConsumerFunction", ["timeout"], 31),
  ),
  patch("a message returns 1,000 times before the dead-letter queue takes it", "three times", (it) =>
    it.replace("BatchesQueue", '\\"maxReceiveCount\\":1000', '\\"maxReceiveCount\\":3'),
  ),
  patch("a message returns 1,000 times before the dead-letter queue takes it", "no dead-letter queue", (it) =>
    it.set("BatchesQueue", ["redrivePolicy"], undefined),
  ),
  patch("the dead-letter queue keeps for 14 days, longer than the queue's 4", "as long as the queue", (it) =>
    it.set("DeadLettersQueue", ["messageRetentionSeconds"], 345_600),
  ),
  patch(
    "issue 12.5: both queues take messages as large as the program sends, which is SQS's own limit",
    "AWS's default",
    (it) => it.set("BatchesQueue", ["maxMessageSize"], undefined),
  ),
  patch(
    "issue 12.5: both queues take messages as large as the program sends, which is SQS's own limit",
    "a smaller one for dead letters",
    (it) => it.set("DeadLettersQueue", ["maxMessageSize"], 262_144),
  ),
  patch("both queues are standard and delay nothing by themselves", "FIFO", (it) =>
    it.set("BatchesQueue", ["fifoQueue"], true),
  ),
  patch("both queues are standard and delay nothing by themselves", "a delay", (it) =>
    it.set("DeadLettersQueue", ["delaySeconds"], 1),
  ),
  patch("the dead-letter queue belongs to the work queue alone", "everybody's", (it) =>
    it.replace("DeadLettersRedriveAllowPolicy", "byQueue", "allowAll"),
  ),
  patch("issue 12.1: consumer and control alone see the database's address", "the reader too", (it) =>
    it.link("Reader", "DatabaseUrl"),
  ),
  patch("issue 12.1: consumer and control alone see the database's address", "the status page, another secret", (it) =>
    it.link("Status", "Password"),
  ),
  patch("issue 12.1: consumer and control alone see the database's address", "in the environment", (it) =>
    it.set("StatusFunction", ["environment", "variables", "SST_RESOURCE_DatabaseUrl"], "{}"),
  ),
  patch("four functions on Node 24 and arm64, by names that people can type", "x86_64", (it) =>
    it.set("ReaderFunction", ["architectures"], ["x86_64"]),
  ),
  patch("four functions on Node 24 and arm64, by names that people can type", "Node 20", (it) =>
    it.set("ConsumerFunction", ["runtime"], "nodejs20.x"),
  ),
  patch("four functions on Node 24 and arm64, by names that people can type", "random letters", (it) =>
    it.set("ControlFunction", ["name"], "firehose-backfill-test-control-abcd"),
  ),
  patch("timeouts", "the consumer's", (it) => it.set("ConsumerFunction", ["timeout"], 20)),
  patch("reader and consumer have a quarter more memory than the limit, 512 MB at least", "the limit itself", (it) =>
    it.set("ConsumerFunction", ["memorySize"], 512),
  ),
  patch("an asynchronous invocation is tried once, within a minute", "twice more", (it) =>
    it.set("ReaderEventInvokeConfig", ["maximumRetryAttempts"], 2),
  ),
  patch("an asynchronous invocation is tried once, within a minute", "six hours later", (it) =>
    it.set("ControlEventInvokeConfig", ["maximumEventAgeInSeconds"], 21_600),
  ),
  patch("each function logs to a group of its own, kept for 30 days", "for ever", (it) =>
    it.set("ConsumerLogs", ["retentionInDays"], 0),
  ),
  patch("each function logs to a group of its own, kept for 30 days", "another's group", (it) =>
    it.set("StatusFunction", ["loggingConfig", "logGroup"], "/aws/lambda/firehose-backfill-test-reader"),
  ),
  patch(
    "functions get the settings by their own names, the queues and the table, and nothing else",
    "a stray one",
    (it) => it.set("ReaderFunction", ["environment", "variables", "PORT"], "9000"),
  ),
  patch(
    "functions get the settings by their own names, the queues and the table, and nothing else",
    "young objects may take what they like",
    (it) => it.set("ReaderFunction", ["environment", "variables", "NODE_OPTIONS"], ""),
  ),
  patch(
    "functions get the settings by their own names, the queues and the table, and nothing else",
    "one is missing",
    () => {},
    {
      settings: { BACKFILL_DAYS: "3" },
    },
  ),
  patch(
    "functions get the settings by their own names, the queues and the table, and nothing else",
    "the wrong queue",
    (it) => it.replace("ConsumerFunction", "DeadLettersQueue", "BatchesQueue"),
  ),
  patch("the database's address is in no environment", "it is", (it) =>
    it.set(
      "ConsumerFunction",
      ["environment", "variables", "SST_X"],
      "postgres://app:correct-horse@db.example.com/app",
    ),
  ),
  patch("tracing is off unless asked for", "on", (it) =>
    it.set("ReaderFunction", ["tracingConfig"], { mode: "Active" }),
  ),
  patch("one schedule wakes the reader every minute", "every hour", (it) =>
    it.set("ReaderScheduleSchedule", ["scheduleExpression"], "rate(1 hour)"),
  ),
  patch("one schedule wakes the reader every minute", "the consumer instead", (it) =>
    it.replace("ReaderScheduleSchedule", "test-reader", "test-consumer"),
  ),
  patch(
    "issue 16.4: a schedule calls control for an audit, only where one is asked for",
    "one nobody asked for",
    (it) => it.add(TYPES.schedule, "AuditScheduleSchedule"),
  ),
  patch("the tick says which minute it was meant for", "nothing", (it) =>
    it.set("ReaderScheduleSchedule", ["target", "input"], "{}"),
  ),
  patch("a missed tick is not made up for", "185 times", (it) =>
    it.set("ReaderScheduleSchedule", ["target", "retryPolicy", "maximumRetryAttempts"], 185),
  ),
  patch("a missed tick is not made up for", "for a day", (it) =>
    it.set("ReaderScheduleSchedule", ["target", "retryPolicy", "maximumEventAgeInSeconds"], undefined),
  ),
  patch("the schedule is off in `sst dev` and on elsewhere", "off", (it) =>
    it.set("ReaderScheduleSchedule", ["state"], "DISABLED"),
  ),
  ...(["Reader", "Consumer", "Control", "Status"] as const).flatMap((role) => [
    patch(`the ${role.toLowerCase()}'s policy, statement by statement`, "any key of the table", (it) =>
      it.replace(`${role}Role`, "pointer", "*"),
    ),
    patch(`the ${role.toLowerCase()}'s policy, statement by statement`, "one action more", (it) =>
      it.replace(`${role}Role`, '\\"sqs:GetQueueAttributes\\"', '\\"sqs:GetQueueAttributes\\",\\"sqs:PurgeQueue\\"'),
    ),
    patch(`the ${role.toLowerCase()}'s policy, statement by statement`, "nothing at all", (it) =>
      it.set(`${role}Role`, POLICY, policyOf([])),
    ),
  ]),
  patch("the reader's policy, statement by statement", "may not tell anybody", () => {}, {
    alarmTopicArn: "arn:aws:sns:eu-central-1:123456789012:on-call",
  }),
  patch("no wildcard stands for all actions or all resources", "every action of SQS", (it) =>
    it.replace("ReaderRole", "sqs:SendMessage", "sqs:*"),
  ),
  patch("no wildcard stands for all actions or all resources", "every log group", (it) =>
    it.replace("StatusRole", "/aws/lambda/firehose-backfill-test-status:*", "*"),
  ),
  patch("no wildcard stands for all actions or all resources", "every table", (it) =>
    it.replace("ConsumerRole", "table/", "table/*"),
  ),
  patch("the consumer cannot send to the queue it is fed by", "it can", (it) =>
    it.replace("ConsumerRole", "sqs:DeleteMessage", "sqs:SendMessage"),
  ),
  patch("functions' roles are assumed by Lambda alone and carry no managed policy", "by the account", (it) =>
    it.replace("StatusRole", '"lambda.amazonaws.com"', '"arn:aws:iam::123456789012:root"'),
  ),
  patch("functions' roles are assumed by Lambda alone and carry no managed policy", "a managed one", (it) =>
    it.set("ReaderRole", ["managedPolicyArns"], ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]),
  ),
  patch("the scheduler may invoke the reader and do nothing else", "any function", (it) =>
    it.replace("ReaderScheduleRole", "firehose-backfill-test-reader", "*"),
  ),
  patch("the scheduler may invoke the reader and do nothing else", "assumed by Lambda", (it) =>
    it.replace("ReaderScheduleRole", "scheduler.amazonaws.com", "lambda.amazonaws.com"),
  ),
  patch(
    "there are no roles but these five, and one for the schedule of audits where it is asked for",
    "a sixth",
    (it) => it.add(TYPES.role, "AdminRole"),
  ),
  patch("the status page asks for a signature", "it does not", (it) =>
    it.set("StatusUrl", ["authorizationType"], "NONE"),
  ),
  patch("no other site's script may ask for it", "every site's", (it) =>
    it.set("StatusUrl", ["cors"], { allowOrigins: ["*"] }),
  ),
  patch("no function lets anybody in by itself", "the public", (it) =>
    it.add(TYPES.permission, "StatusPublicFunctionUrlAccess"),
  ),
  patch("alarm dead-letters", "from ten on", (it) => it.set("DeadLettersAlarm", ["threshold"], 10)),
  patch("alarm dead-letters", "of the work queue", (it) =>
    it.replace("DeadLettersAlarm", "DeadLettersQueue", "BatchesQueue"),
  ),
  patch("alarm oldest-message", "after a day", (it) => it.set("OldestMessageAlarm", ["threshold"], 86_400)),
  patch("alarm reader-errors", "there is none", (it) => it.remove("ReaderErrorsAlarm")),
  patch("alarm reader-errors", "with the environments that end on purpose", (it) =>
    it.set("ReaderErrorsAlarm", ["metricQueries", 2, "expression"], "errors"),
  ),
  patch("alarm consumer-errors", "there is none", (it) => it.remove("ConsumerErrorsAlarm")),
  patch("alarm consumer-errors", "the reader's exits are taken away from them", (it) =>
    it.set("ConsumerErrorsAlarm", ["metricQueries", 1, "metric", "metricName"], "ReaderEarlyExits"),
  ),
  patch("alarm consumer-errors", "too fine to see one that comes back each three minutes", (it) =>
    it.set("ConsumerErrorsAlarm", ["metricQueries", 0, "metric", "period"], 60),
  ),
  patch("alarm consumer-errors", "without exits there is no figure", (it) =>
    it.set("ConsumerErrorsAlarm", ["metricQueries", 2, "expression"], "errors - exits"),
  ),
  patch("alarm waiting", "there is none", (it) => it.remove("WaitingAlarm")),
  patch("alarm waiting", "after a day", (it) => it.set("WaitingAlarm", ["threshold"], 86_400)),
  patch("alarm oldest-due", "there is none", (it) => it.remove("OldestDueAlarm")),
  patch("alarm oldest-due", "of another stage", (it) => it.set("OldestDueAlarm", ["dimensions", "stage"], "other")),
  patch(
    "issue 12.6: operations.md explains every alarm, and its table of troubles names these alarms and no others",
    "one that is not made",
    (it) => it.remove("WaitingAlarm"),
  ),
  patch("alarm consumer-throttles", "of the reader", (it) =>
    it.replace("ConsumerThrottlesAlarm", "test-consumer", "test-reader"),
  ),
  patch("alarm consumer-throttles", "the same with one at a time", () => {}, { maxConcurrent: 1 }),
  patch("alarm falls-off", "when all is well", (it) =>
    it.set("FallsOffAlarm", ["comparisonOperator"], "GreaterThanThreshold"),
  ),
  patch("alarm reader-silent", "silence is no news", (it) =>
    it.set("ReaderSilentAlarm", ["treatMissingData"], "notBreaching"),
  ),
  patch("every alarm goes where the settings say, and back when it is over", "nowhere", () => {}, {
    alarmTopicArn: "arn:aws:sns:eu-central-1:123456789012:on-call",
  }),
  patch("the address is subscribed to the stage's own topic", "nobody is", () => {}, { alarmTopicArn: "own" }),
  patch("a deploy whose alarms go nowhere says so", "it keeps quiet", (it) => it.warnings.splice(0)),
  patch("every alarm says what it means and where its paragraph is", "it does not", (it) =>
    it.set("FallsOffAlarm", ["alarmDescription"], ""),
  ),
  patch("the dashboard shows every metric of the backfill but the frames'", "one is gone", (it) =>
    it.replace("Dashboard", "ReaderEarlyExits", "ReaderExits"),
  ),
  patch("issue 18.5: the dashboard draws every figure of the log lines", "one is gone", (it) =>
    it.replace("Dashboard", "(paceWaitMs)", "(paceWait)"),
  ),
  patch("issue 18.5: the dashboard draws every figure of the log lines", "though none is wanted", () => {}, {
    hasDashboard: false,
  }),
  patch("issue 18.5: Lambda's own lines for what went well are not kept", "they are", (it) =>
    it.set("ConsumerFunction", ["loggingConfig", "systemLogLevel"], "INFO"),
  ),
  patch("issue 18.5: the figures near an alarm are written long before it", "the alarm comes before", (it) =>
    it.set("WaitingAlarm", ["threshold"], 299),
  ),
  patch("issue 14.1: the dashboard lists the runs by what the reader says of each tick", "by nothing", (it) =>
    it.replace("Dashboard", " by runId", " by status"),
  ),
  patch("the dashboard's widgets fill the grid without overlap", "one is too wide", (it) =>
    it.replace("Dashboard", '\\"width\\":12', '\\"width\\":13'),
  ),
  patch("the dashboard shows every alarm, and the stage's own figures", "another stage's", (it) =>
    it.replace("Dashboard", "alarm:firehose-backfill-test", "alarm:firehose-backfill-other"),
  ),
  patch("the Test menu of control offers its events", "one does something else", (it) =>
    it.replace("ControlTestEvents", '\\"action\\":\\"pause\\"', '\\"action\\":\\"cancel\\"'),
  ),
  patch("the Test menu of control offers its events", "those of another function", (it) =>
    it.replace("ControlTestEvents", "test-control", "test-reader"),
  ),
  patch("the account's registry is adopted where it is there, and never removed", "removed with the stage", (it) =>
    it.retain("TestEventRegistry", false),
  ),
  patch("the account's registry is adopted where it is there, and never removed", "created a second time", () => {}, {
    hasRegistry: true,
  }),
  patch("production is protected and retains; other stages go", "production is not", () => {}, { stage: "production" }),
  patch("production is protected and retains; other stages go", "a stage stays", (it) => (it.app.removal = "retain")),
  patch("production keeps its table and its queues", "it does not", () => {}, { stage: "production" }),
  patch("production keeps its table and its queues", "a stage's queue stays", (it) => it.retain("BatchesQueue", true)),
  patch("the table has the store's keys, expires by itself and is paid by use", "another key", (it) =>
    it.set("CheckpointsTable", ["hashKey"], "id"),
  ),
  patch("the table has the store's keys, expires by itself and is paid by use", "nothing expires", (it) =>
    it.set("CheckpointsTable", ["ttl"], undefined),
  ),
];
