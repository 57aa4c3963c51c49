/** The stages that are rehearsed. Longest names and largest settings are a stage of their own. */
import type { SynthOptions } from "../synth.ts";

export interface Stage {
  readonly title: string;
  readonly options: Omit<SynthOptions, "program">;
}

const EMAIL = { BACKFILL_ALARM_EMAIL: "on-call@example.com" };

export const PRODUCTION: Stage = { title: "production", options: { stage: "production", settings: EMAIL } };

export const STAGES: readonly Stage[] = [
  PRODUCTION,
  { title: "sst dev", options: { stage: "alice", isDev: true } },
  {
    title: "without reservation",
    options: { stage: "test", settings: { BACKFILL_RESERVE_CONCURRENCY: "false", BACKFILL_MAX_CONCURRENT: "7" } },
  },
  {
    title: "traced, with a registry of test events that is there",
    options: { stage: "test", hasRegistry: true, settings: { LAMBDA_TRACING: "active" } },
  },
  {
    title: "the fast profile with the most memory",
    options: { stage: "test", settings: { BACKFILL_PROFILE: "fast", BACKFILL_MAX_MEMORY_MB: "8192" } },
  },
  {
    title: "inside a VPC, with IAM",
    options: {
      stage: "test",
      settings: {
        BACKFILL_VPC_SUBNETS: "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
        BACKFILL_VPC_SECURITY_GROUPS: "sg-0123456789abcdef0",
        BACKFILL_DATABASE_USER_ARN: "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABCDEFGHIJKL/backfill",
        BACKFILL_DATABASE_CA: "packages/sink-postgres/fixtures/ca.crt",
      },
    },
  },
];

/** As long as `infra/names.ts` lets it be, of which every other name is made. */
export const LONGEST_STAGE_NAME = "s".repeat(64 - "firehose-backfill--consumer".length);
