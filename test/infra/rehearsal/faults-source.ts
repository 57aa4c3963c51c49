/** Faults in the infra's own files, from the source to the call: all of them at once in one synthesis. */
import type { SourceFault } from "../build.ts";

interface RefusedFault extends SourceFault {
  readonly rule: string;
  readonly says: string;
}

export const SOURCE_FAULTS: readonly RefusedFault[] = [
  {
    file: "infra/settings.ts",
    find: "LOG_RETENTION_DAYS = 30",
    replace: "LOG_RETENTION_DAYS = 31",
    rule: "logs are kept for one of the times that CloudWatch offers",
    says: "ConsumerLogs: 31 days",
  },
  {
    file: "infra/reader.ts",
    find: "rate(1 minute)",
    replace: "rate(1 minutes)",
    rule: "a schedule's expression is one that Scheduler reads",
    says: '"rate(1 minutes)"',
  },
  {
    file: "infra/alarms.ts",
    find: 'treatMissingData: "notBreaching"',
    replace: 'treatMissingData: "notbreaching"',
    rule: "missing data is treated in one of four ways",
    says: '"notbreaching"',
  },
  {
    file: "infra/permissions.ts",
    find: '"sqs:SendMessage", "sqs:GetQueueAttributes"',
    replace: '"sqs:SendMesage", "sqs:GetQueueAttributes"',
    rule: "an action is one that exists",
    says: "there is no action sqs:SendMesage",
  },
  {
    file: "infra/queue.ts",
    find: "messageRetentionSeconds: QUEUE_RETENTION_SECONDS, maxMessageSize: MAX_MESSAGE_BYTES",
    replace: "messageRetentionSeconds: QUEUE_RETENTION_SECONDS, delaySeconds: 901",
    rule: "a queue takes a message as large as the program sends",
    says: "BatchesQueue: 262144 bytes",
  },
  {
    file: "infra/table.ts",
    find: 'ttl: "expiresAt",',
    replace: 'ttl: "expiresAt", transform: { table: { name: "run#1" } },',
    rule: "a table's name has 3 to 255 letters, digits, _, - and .",
    says: '"run#1"',
  },
  {
    file: "infra/names.ts",
    find: "return name;",
    replace: 'return name.padEnd(70, "x");',
    rule: "a function's name has 64 characters at most",
    says: "has 70 of 64",
  },
];
