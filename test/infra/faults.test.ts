/**
 * Faults in the infra's own source, all at once, from file to registered resource: the checks see each of them. What
 * patches.test.ts shows of every check is shown here of the way there.
 */
import { beforeAll, expect, test } from "vitest";
import { buildProgram, type SourceFault } from "./build.ts";
import { problemsOf } from "./checks/all.ts";
import { DEFAULTS } from "./checks/check.ts";
import { SLOW_MS } from "./platform.ts";
import { describeWithPlatform } from "./platform-tests.ts";
import { synthesize } from "./synth.ts";

interface Fault extends SourceFault {
  readonly check: string;
  /** A part of what the check says, so that no other fault can be what it found. */
  readonly problem: string;
}

const FAULTS: readonly Fault[] = [
  {
    file: "infra/consumer.ts",
    find: "partialResponses: true",
    replace: "partialResponses: false",
    check: "partial responses",
    problem: "[]",
  },
  {
    file: "infra/consumer.ts",
    find: "mappingConcurrency(maxConcurrent)",
    replace: "maxConcurrent + 1",
    check: "the mapping offers at most max-concurrent, and two at least",
    problem: "MaximumConcurrency: 3",
  },
  {
    file: "infra/consumer.ts",
    find: "environment: options.environment",
    replace: "environment: { ...options.environment, DATABASE_URL: options.databaseUrl.value }",
    check: "the database's address is in no environment",
    problem: "secret",
  },
  {
    file: "infra/limits.ts",
    find: "6 * CONSUMER_TIMEOUT_SECONDS",
    replace: "5 * CONSUMER_TIMEOUT_SECONDS",
    check: "a message is hidden for at least six times the consumer's timeout",
    problem: "150 s",
  },
  {
    file: "infra/queue.ts",
    find: "retry: MAX_RECEIVE_COUNT",
    replace: "retry: 3",
    check: "a message returns 1,000 times before the dead-letter queue takes it",
    problem: '"maxReceiveCount":3',
  },
  {
    file: "infra/queue.ts",
    find: "{ retainOnDelete: options.isProduction }",
    replace: "{}",
    check: "production keeps its table and its queues",
    problem: "BatchesQueue is retained: false",
  },
  {
    file: "infra/table.ts",
    find: "deletionProtection: options.isProduction,",
    replace: "",
    check: "production keeps its table and its queues",
    problem: "table deletion protection",
  },
  {
    file: "sst.config.ts",
    find: "protect: isProduction",
    replace: "protect: false",
    check: "production is protected and retains; other stages go",
    problem: "protect: false",
  },
  {
    file: "infra/function.ts",
    find: "retries: 0,",
    replace: "",
    check: "an asynchronous invocation is tried once, within a minute",
    problem: "aws:lambda/functionEventInvokeConfig",
  },
  {
    file: "infra/function.ts",
    find: 'args.assumeRolePolicy = aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" });',
    replace: "",
    check: "functions' roles are assumed by Lambda alone and carry no managed policy",
    problem: ":root",
  },
  {
    file: "infra/function.ts",
    find: "args.managedPolicyArns = [];",
    replace: 'args.managedPolicyArns = ["arn:aws:iam::aws:policy/AdministratorAccess"];',
    check: "functions' roles are assumed by Lambda alone and carry no managed policy",
    problem: "AdministratorAccess",
  },
  {
    file: "infra/schedule.ts",
    find: ", maximumEventAgeInSeconds: MAX_EVENT_AGE_SECONDS",
    replace: "",
    check: "a missed tick is not made up for",
    problem: "retries",
  },
  {
    file: "infra/reader.ts",
    find: "    settings,\n    environment: options.environment,",
    replace:
      '    settings,\n    link: [new sst.Linkable("Another", { properties: {} })],\n    environment: options.environment,',
    check: "issue 12.1: consumer and control alone see the database's address",
    problem: "Reader's links",
  },
  {
    file: "infra/reader.ts",
    find: "event: TICK_EVENT,",
    replace: "",
    check: "the tick says which minute it was meant for",
    problem: "payload",
  },
  {
    file: "infra/status.ts",
    find: 'authorization: "iam", cors: false',
    replace: 'authorization: "none"',
    check: "the status page asks for a signature",
    problem: "NONE",
  },
  {
    file: "infra/permissions.ts",
    find: '{ actions: ["sqs:SendMessage"], resources: [on.deadLettersArn] }',
    replace: '{ actions: ["sqs:SendMessage"], resources: [on.deadLettersArn, on.workArn] }',
    check: "the consumer cannot send to the queue it is fed by",
    problem: "may send",
  },
  {
    file: "infra/permissions.ts",
    find: 'onKeys(on, KEYS.ledger, ["GetItem", "UpdateItem"])',
    replace: 'onKeys(on, "*", ["GetItem", "UpdateItem"])',
    check: "the consumer's policy, statement by statement",
    problem: "LeadingKeys *",
  },
  {
    file: "infra/alarms.ts",
    find: "alarmActions: actions,",
    replace: "",
    check: "every alarm goes where the settings say, and back when it is over",
    problem: "actions: undefined",
  },
  {
    file: "infra/test-events.ts",
    find: "retainOnDelete: true",
    replace: "retainOnDelete: false",
    check: "the account's registry is adopted where it is there, and never removed",
    problem: "kept: false",
  },
];

describeWithPlatform("a fault in the infra's source is found", () => {
  let problems: Record<string, readonly string[]>;
  beforeAll(async () => {
    await using program = await buildProgram(FAULTS);
    const stack = await synthesize({
      program,
      stage: "production",
      settings: { BACKFILL_ALARM_EMAIL: "on-call@example.com" },
    });
    problems = problemsOf(stack, { ...DEFAULTS, stage: "production", alarmTopicArn: "own" });
  }, SLOW_MS);

  test.each(FAULTS)("$file without $find", ({ check, problem }) => {
    expect(problems[check]?.join("\n") ?? "nothing was found").toContain(problem);
  });
});
