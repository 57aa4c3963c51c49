/** The settings that only a deploy to AWS uses; definitions.ts contains them in its table of all settings. */
import { alarmEmail } from "./alarm-email.ts";
import { databaseUserArn, securityGroups, subnets } from "./aws-ids.ts";
import type { DefinitionTable } from "./definition-table.ts";
import { boolean, folder, matching, optional } from "./kinds.ts";

export const AWS_SETTINGS: DefinitionTable<
  | "alarmEmail"
  | "alarmTopicArn"
  | "reserveConcurrency"
  | "dashboard"
  | "vpcSubnets"
  | "vpcSecurityGroups"
  | "databaseCa"
  | "databaseUserArn"
> = {
  alarmEmail: {
    key: "alarmEmail",
    name: "BACKFILL_ALARM_EMAIL",
    group: "deployment",
    kind: optional(alarmEmail),
    fallback: null,
    help: "E-mail address that alarms are sent to; stage production needs it, a topic, or none.",
  },
  alarmTopicArn: {
    key: "alarmTopicArn",
    name: "BACKFILL_ALARM_TOPIC_ARN",
    group: "deployment",
    kind: optional(matching("the ARN of an SNS topic", /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}$/)),
    fallback: null,
    help: "Existing SNS topic that alarms are sent to, instead of an e-mail address.",
  },
  reserveConcurrency: {
    key: "reserveConcurrency",
    name: "BACKFILL_RESERVE_CONCURRENCY",
    group: "deployment",
    kind: boolean,
    fallback: true,
    help: "Whether the deploy reserves Lambda concurrency; false for accounts that have too little.",
  },
  dashboard: {
    key: "dashboard",
    name: "BACKFILL_DASHBOARD",
    group: "deployment",
    kind: boolean,
    fallback: true,
    help: "Whether the deploy creates a CloudWatch dashboard. The first three of an account are free.",
  },
  vpcSubnets: {
    key: "vpcSubnets",
    name: "BACKFILL_VPC_SUBNETS",
    group: "deployment",
    kind: subnets,
    fallback: [],
    fallbackText: "no VPC",
    help: "Subnets that consumer and control are deployed into, to reach a database inside a VPC.",
  },
  vpcSecurityGroups: {
    key: "vpcSecurityGroups",
    name: "BACKFILL_VPC_SECURITY_GROUPS",
    group: "deployment",
    kind: securityGroups,
    fallback: [],
    fallbackText: "no VPC",
    help: "Security groups of consumer and control; needed with BACKFILL_VPC_SUBNETS.",
  },
  databaseCa: {
    key: "databaseCa",
    name: "BACKFILL_DATABASE_CA",
    group: "deployment",
    kind: optional({ ...folder, takes: "a file" }),
    fallback: null,
    fallbackText: "as DATABASE_URL says",
    help: "File of certificates in PEM that the deploy hands to the functions; they verify the database with it.",
  },
  databaseUserArn: {
    key: "databaseUserArn",
    name: "BACKFILL_DATABASE_USER_ARN",
    group: "deployment",
    kind: optional(databaseUserArn),
    fallback: null,
    fallbackText: "a password in DATABASE_URL",
    help: "Database user of RDS or Aurora that the functions log in as with IAM, without a password.",
  },
};
