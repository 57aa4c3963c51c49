/** The stages and settings that are synthesised, each with what it asks for. */
import { DEFAULTS, type Expected } from "./checks/check.ts";
import type { SynthOptions } from "./synth.ts";

export interface Case {
  readonly title: string;
  readonly options: Omit<SynthOptions, "program">;
  readonly expected: Expected;
}

const TOPIC_ARN = "arn:aws:sns:eu-central-1:123456789012:on-call";

const DATABASE_USER = "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABCDEFGHIJKL/backfill";

/** `settings` are handed to the functions as they are; `deployOnly` mean something to the deploy alone. */
function one(title: string, expected: Partial<Expected> = {}, deployOnly: Readonly<Record<string, string>> = {}): Case {
  const all = { ...DEFAULTS, ...expected };
  return {
    title,
    options: {
      stage: all.stage,
      isDev: all.isDev,
      hasRegistry: all.hasRegistry,
      settings: { ...all.settings, ...deployOnly },
    },
    expected: all,
  };
}

function concurrent(maxConcurrent: number, more: Partial<Expected> = {}): Case {
  const settings = { BACKFILL_MAX_CONCURRENT: String(maxConcurrent), ...more.settings };
  return one(`max-concurrent ${maxConcurrent}${more.isReserved === false ? ", none reserved" : ""}`, {
    maxConcurrent,
    ...more,
    settings,
  });
}

export const CASES: readonly Case[] = [
  one("a stage with no settings but the relay"),
  one(
    "production, alarms by e-mail",
    { stage: "production", alarmTopicArn: "own" },
    { BACKFILL_ALARM_EMAIL: "on-call@example.com" },
  ),
  one("sst dev", { stage: "alice", isDev: true }),
  concurrent(1),
  concurrent(2),
  concurrent(7),
  concurrent(7, { isReserved: false, settings: { BACKFILL_RESERVE_CONCURRENCY: "false" } }),
  one("the fast profile", { maxConcurrent: 10, maxMemoryMb: 2048, settings: { BACKFILL_PROFILE: "fast" } }),
  one(
    "little memory, alarms to a topic and a registry of test events that are there, tracing",
    {
      maxMemoryMb: 128,
      alarmTopicArn: TOPIC_ARN,
      hasRegistry: true,
      isTraced: true,
      settings: { BACKFILL_MAX_MEMORY_MB: "128" },
    },
    { BACKFILL_ALARM_TOPIC_ARN: TOPIC_ARN, LAMBDA_TRACING: "active" },
  ),
  one(
    "inside a VPC, the database's user known to IAM",
    {
      network: {
        subnetIds: ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        securityGroupIds: ["sg-01234567"],
      },
      databaseUserArn: DATABASE_USER,
      settings: {
        BACKFILL_VPC_SUBNETS: "subnet-0123456789abcdef0, subnet-0123456789abcdef1",
        BACKFILL_VPC_SECURITY_GROUPS: "sg-01234567",
        BACKFILL_DATABASE_USER_ARN: DATABASE_USER,
        BACKFILL_DATABASE_CA: "settings/database-ca.pem",
      },
    },
    { BACKFILL_DATABASE_CA: "packages/sink-postgres/fixtures/ca.crt" },
  ),
  one("an audit after each run", { settings: { BACKFILL_AUDIT_SAMPLE: "300" } }),
  one("without a dashboard", { hasDashboard: false, settings: { BACKFILL_DASHBOARD: "false" } }),
  one("sst dev, whose functions run on a machine outside the VPC", {
    stage: "alice",
    isDev: true,
    settings: { BACKFILL_VPC_SUBNETS: "subnet-01234567", BACKFILL_VPC_SECURITY_GROUPS: "sg-01234567" },
  }),
  one(
    "a developer's own .env, and a list in a file",
    {
      settings: {
        BACKFILL_DAYS: "3",
        BACKFILL_COLLECTIONS: "app.bsky.feed.*",
        BACKFILL_DIDS: "@settings/BACKFILL_DIDS.txt",
        MEMORY_CHECK_INTERVAL: "50",
      },
    },
    {
      BACKFILL_DIDS: "@test/infra/fixtures/dids.txt",
      DATABASE_URL: "postgres://me@127.0.0.1/mine",
      BACKFILL_DATA_DIR: "/tmp/mine",
      BACKFILL_QUEUE_URL: "http://127.0.0.1:4566/queue/mine",
      PORT: "9000",
    },
  ),
];
