/**
 * Every setting, once: parsing, `--help`, the documentation and the infrastructure all read this table. A setting that is not here
 * does not exist. The table contains those of definitions-repos.ts and definitions-aws.ts.
 */
import { databaseUrl } from "./database-url.ts";
import { collections, dids } from "./filters.ts";
import type { DefinitionTable } from "./definition-table.ts";
import { AWS_SETTINGS } from "./definitions-aws.ts";
import { REPOS_SETTINGS } from "./definitions-repos.ts";
import { boolean, choice, folder, integer, matching, optional, type SettingDefinition, withheld } from "./kinds.ts";
import { offPeak } from "./off-peak.ts";
import { PROFILES } from "./profiles.ts";
import { relayUrlOrSample } from "./relay-url.ts";
import { PROFILE_NAMES, type SettingKey, SOURCE_KINDS, VERIFY_LEVELS } from "./settings.ts";
import { webhookUrl } from "./webhook-url.ts";

const { background } = PROFILES;
const queueUrl = matching("the URL of an SQS queue", /^https?:\/\/[^\s/]+\/\S+$/);

/** The compiler checks that no key of Settings is missing, and that each is in its group. */
const TABLE: DefinitionTable<SettingKey> = {
  relayUrl: {
    key: "relayUrl",
    name: "RELAY_URL",
    group: "scope",
    kind: relayUrlOrSample,
    fallback: null,
    fallbackText: "the bundled sample; required when deployed",
    help: "Host of the firehose. `sample` replays the bundled sample, also if DATABASE_URL is set.",
  },
  source: {
    key: "source",
    name: "BACKFILL_SOURCE",
    group: "scope",
    kind: choice(SOURCE_KINDS),
    fallback: "relay",
    help: "What to read: the relay's last days, whole repositories of accounts, both, or only handles of accounts.",
  },
  databaseUrl: {
    key: "databaseUrl",
    name: "DATABASE_URL",
    group: "deployment",
    kind: optional(databaseUrl),
    fallback: null,
    fallbackText: "embedded Postgres",
    help: "Database that events are applied to; Postgres 15 to 18.",
  },
  profile: {
    key: "profile",
    name: "BACKFILL_PROFILE",
    group: "profile",
    kind: choice(PROFILE_NAMES),
    fallback: "background",
    help: "Sets all throttle settings at once; a setting that is given overrides it.",
  },
  days: {
    key: "days",
    name: "BACKFILL_DAYS",
    group: "scope",
    kind: integer(-1, 3_650),
    fallback: 1,
    help: "How many days back to start, by event time; 0: do not run; -1: at the oldest event the relay keeps.",
  },
  batchSize: {
    key: "batchSize",
    name: "BACKFILL_BATCH_SIZE",
    group: "throttle",
    isPace: true,
    kind: integer(1, 1_000),
    fallback: background.batchSize,
    help: "Events per batch.",
  },
  batchDelayMs: {
    key: "batchDelayMs",
    name: "BACKFILL_BATCH_DELAY_MS",
    group: "throttle",
    isPace: true,
    kind: integer(0, 600_000),
    fallback: background.batchDelayMs,
    help: "Time between two full batches of the whole run; 0: no pace.",
  },
  maxConcurrent: {
    key: "maxConcurrent",
    name: "BACKFILL_MAX_CONCURRENT",
    group: "throttle",
    isPace: true,
    kind: integer(1, 100),
    fallback: background.maxConcurrent,
    help: "Batches of the whole run that may be applied at the same time.",
  },
  maxMemoryMb: {
    key: "maxMemoryMb",
    name: "BACKFILL_MAX_MEMORY_MB",
    group: "throttle",
    kind: integer(128, 10_240),
    fallback: background.maxMemoryMb,
    help: "Memory limit of a consumer process.",
  },
  useIdle: {
    key: "useIdle",
    name: "BACKFILL_USE_IDLE",
    group: "throttle",
    kind: boolean,
    fallback: background.useIdle,
    help: "Whether a consumer yields to the event loop (setImmediate) between batches.",
  },
  dbPoolSize: {
    key: "dbPoolSize",
    name: "BACKFILL_DB_POOL_SIZE",
    group: "throttle",
    kind: integer(1, 50),
    fallback: background.dbPoolSize,
    help: "Database connections of one consumer process; a function has 1.",
  },
  collections: {
    key: "collections",
    name: "BACKFILL_COLLECTIONS",
    group: "scope",
    kind: collections,
    fallback: [],
    fallbackText: "all",
    help: "Collections to apply; markers are always applied.",
  },
  dids: {
    key: "dids",
    name: "BACKFILL_DIDS",
    group: "scope",
    kind: dids,
    fallback: [],
    fallbackText: "all",
    help: "Accounts to apply; for markers, too.",
  },
  verify: {
    key: "verify",
    name: "BACKFILL_VERIFY",
    group: "scope",
    kind: choice(VERIFY_LEVELS),
    fallback: "hash",
    help: "What is verified of each commit, with all levels before it. From `chain` on, each commit is one more event.",
  },
  throttleQuery: {
    key: "throttleQuery",
    name: "BACKFILL_THROTTLE_QUERY",
    group: "deployment",
    kind: optional(
      matching("one SQL statement that gives a number or a boolean", /^\P{Cc}(?:\P{Cc}|[\t\r\n]){0,3999}$/u),
    ),
    fallback: null,
    help: "Run before a batch; if it gives more than 0, true or no answer, the run waits and backs off.",
  },
  offPeak: {
    key: "offPeak",
    name: "BACKFILL_OFF_PEAK",
    group: "deployment",
    kind: optional(offPeak),
    fallback: null,
    help: "Hours of the day in which the run uses the pace of that profile.",
  },
  ...REPOS_SETTINGS,
  contact: {
    key: "contact",
    name: "BACKFILL_CONTACT",
    group: "deployment",
    kind: optional(withheld(matching("printable ASCII, at most 200 characters", /^[\x20-\x7e]{1,200}$/))),
    fallback: null,
    help: "E-mail address or URL that the relay gets in the User-Agent.",
  },
  notifyUrl: {
    key: "notifyUrl",
    name: "BACKFILL_NOTIFY_URL",
    group: "deployment",
    kind: optional(webhookUrl),
    fallback: null,
    help: "Webhook (Slack, Discord or your own) that gets a notice when a run ends, stops or has a problem.",
  },
  ...AWS_SETTINGS,
  dataDir: {
    key: "dataDir",
    name: "BACKFILL_DATA_DIR",
    group: "deployment",
    kind: folder,
    fallback: ".backfill",
    help: "Folder for the state of the embedded services; the next start continues from it.",
  },
  memoryCheckInterval: {
    key: "memoryCheckInterval",
    name: "MEMORY_CHECK_INTERVAL",
    group: "throttle",
    kind: integer(1, 1_000_000),
    fallback: 100,
    help: "Events between two memory checks.",
  },
  port: {
    key: "port",
    name: "PORT",
    group: "deployment",
    kind: integer(0, 65_535),
    fallback: 8_787,
    help: "Port of the status page on 127.0.0.1; 0: any free port, printed on stderr.",
  },
  queueUrl: {
    key: "queueUrl",
    name: "BACKFILL_QUEUE_URL",
    group: "deployment",
    kind: optional(queueUrl),
    fallback: null,
    fallbackText: "embedded",
    help: "SQS queue to use instead of the embedded queue.",
  },
  dlqUrl: {
    key: "dlqUrl",
    name: "BACKFILL_DLQ_URL",
    group: "deployment",
    kind: optional(queueUrl),
    fallback: null,
    fallbackText: "embedded",
    help: "Dead-letter queue of that queue.",
  },
  table: {
    key: "table",
    name: "BACKFILL_TABLE",
    group: "deployment",
    kind: optional(matching("the name of a DynamoDB table", /^[\w.-]{3,255}$/)),
    fallback: null,
    fallbackText: "embedded",
    help: "DynamoDB table to use instead of the embedded table.",
  },
};

/** In the order of the documentation. */
export const SETTINGS: readonly SettingDefinition[] = Object.values(TABLE);

export function definitionOf<K extends SettingKey>(key: K): SettingDefinition<K> {
  return TABLE[key];
}

/** `batchSize` to `BACKFILL_BATCH_SIZE`; a text that is not a key is returned unchanged. */
export function settingName(key: string): string {
  return SETTINGS.find((setting) => setting.key === key)?.name ?? key;
}

/** null: no setting has this name. */
export function definitionNamed(name: string): SettingDefinition | null {
  return SETTINGS.find((definition) => definition.name === name) ?? null;
}
