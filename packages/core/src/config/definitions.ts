/**
 * Every setting, once: parsing, `--help`, the documentation and the infrastructure all read this table.
 * A setting that is not here does not exist.
 */
import { databaseUrl } from "./database-url.ts";
import { collections, dids } from "./filters.ts";
import { boolean, choice, folder, integer, matching, optional, type SettingDefinition, withheld } from "./kinds.ts";
import { offPeak } from "./off-peak.ts";
import { PROFILES } from "./profiles.ts";
import { relayUrlOrSample } from "./relay-url.ts";
import {
  PROFILE_NAMES,
  type ScopeSettings,
  type SettingKey,
  type ThrottleSettings,
  VERIFY_LEVELS,
} from "./settings.ts";

const { background } = PROFILES;
const queueUrl = matching("the URL of an SQS queue", /^https?:\/\/[^\s/]+\/\S+$/);

/** The group that the type of a setting says. */
type GroupOf<K extends SettingKey> = K extends keyof ThrottleSettings
  ? "throttle"
  : K extends keyof ScopeSettings
    ? "scope"
    : K extends "profile"
      ? "profile"
      : "place";

/** The compiler sees to it that no key of Settings is forgotten, and that each is in its group. */
const TABLE: { readonly [K in SettingKey]: SettingDefinition<K> & { readonly group: GroupOf<K> } } = {
  relayUrl: {
    key: "relayUrl",
    name: "RELAY_URL",
    group: "scope",
    kind: relayUrlOrSample,
    fallback: null,
    fallbackText: "the bundled sample; required when deployed",
    help: "Host of the firehose; `sample` replays the bundled sample, also into a database of DATABASE_URL.",
  },
  databaseUrl: {
    key: "databaseUrl",
    name: "DATABASE_URL",
    group: "place",
    kind: optional(databaseUrl),
    fallback: null,
    fallbackText: "embedded Postgres",
    help: "Where events are applied; Postgres 15 to 18.",
  },
  profile: {
    key: "profile",
    name: "BACKFILL_PROFILE",
    group: "profile",
    kind: choice(PROFILE_NAMES),
    fallback: "background",
    help: "Sets the whole pace at once; single settings override it.",
  },
  days: {
    key: "days",
    name: "BACKFILL_DAYS",
    group: "scope",
    kind: integer(-1, 3_650),
    fallback: 1,
    help: "How far back to start, by event time; 0: do not run; -1: everything the relay keeps.",
  },
  batchSize: {
    key: "batchSize",
    name: "BACKFILL_BATCH_SIZE",
    group: "throttle",
    kind: integer(1, 1_000),
    fallback: background.batchSize,
    help: "Events per batch.",
  },
  batchDelayMs: {
    key: "batchDelayMs",
    name: "BACKFILL_BATCH_DELAY_MS",
    group: "throttle",
    kind: integer(0, 600_000),
    fallback: background.batchDelayMs,
    help: "Time between full batches, for the whole run; 0: no pacing.",
  },
  maxConcurrent: {
    key: "maxConcurrent",
    name: "BACKFILL_MAX_CONCURRENT",
    group: "throttle",
    kind: integer(1, 100),
    fallback: background.maxConcurrent,
    help: "Batches applied at the same time, for the whole run.",
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
    help: "Yield to the event loop (setImmediate) between batches.",
  },
  dbPoolSize: {
    key: "dbPoolSize",
    name: "BACKFILL_DB_POOL_SIZE",
    group: "throttle",
    kind: integer(1, 50),
    fallback: background.dbPoolSize,
    help: "Database connections of one consumer process (a function has 1).",
  },
  collections: {
    key: "collections",
    name: "BACKFILL_COLLECTIONS",
    group: "scope",
    kind: collections,
    fallback: [],
    fallbackText: "all",
    help: "Collections to apply; markers always pass.",
  },
  dids: {
    key: "dids",
    name: "BACKFILL_DIDS",
    group: "scope",
    kind: dids,
    fallback: [],
    fallbackText: "all",
    help: "Repositories to apply, markers included.",
  },
  verify: {
    key: "verify",
    name: "BACKFILL_VERIFY",
    group: "scope",
    kind: choice(VERIFY_LEVELS),
    fallback: "hash",
    help: "How much is proved of what the relay sends; each level includes the ones before it.",
  },
  throttleQuery: {
    key: "throttleQuery",
    name: "BACKFILL_THROTTLE_QUERY",
    group: "place",
    kind: optional(
      matching("one SQL statement that gives a number or a boolean", /^\P{Cc}(?:\P{Cc}|[\t\r\n]){0,3999}$/u),
    ),
    fallback: null,
    help: "Asked before a batch; above 0, true, or no answer: wait and back off.",
  },
  offPeak: {
    key: "offPeak",
    name: "BACKFILL_OFF_PEAK",
    group: "place",
    kind: optional(offPeak),
    fallback: null,
    help: "Inside this window of the day that profile's pace.",
  },
  contact: {
    key: "contact",
    name: "BACKFILL_CONTACT",
    group: "place",
    kind: optional(withheld(matching("printable ASCII, at most 200 characters", /^[\x20-\x7e]{1,200}$/))),
    fallback: null,
    help: "Said to the relay in the User-Agent: an address or a URL.",
  },
  alarmEmail: {
    key: "alarmEmail",
    name: "BACKFILL_ALARM_EMAIL",
    group: "place",
    kind: optional(withheld(matching("an e-mail address", /^[^\s@]+@[^\s@]+$/))),
    fallback: null,
    help: "Where alarms go.",
  },
  alarmTopicArn: {
    key: "alarmTopicArn",
    name: "BACKFILL_ALARM_TOPIC_ARN",
    group: "place",
    kind: optional(matching("the ARN of an SNS topic", /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}$/)),
    fallback: null,
    help: "Where alarms go, as an SNS topic that exists already.",
  },
  reserveConcurrency: {
    key: "reserveConcurrency",
    name: "BACKFILL_RESERVE_CONCURRENCY",
    group: "place",
    kind: boolean,
    fallback: true,
    help: "Reserve Lambda concurrency; off for accounts that have none to spare.",
  },
  dataDir: {
    key: "dataDir",
    name: "BACKFILL_DATA_DIR",
    group: "place",
    kind: folder,
    fallback: ".backfill",
    help: "State of the embedded stack; a second start resumes from it.",
  },
  memoryCheckInterval: {
    key: "memoryCheckInterval",
    name: "MEMORY_CHECK_INTERVAL",
    group: "throttle",
    kind: integer(1, 1_000_000),
    fallback: 100,
    help: "Events between memory checks.",
  },
  port: {
    key: "port",
    name: "PORT",
    group: "place",
    kind: integer(0, 65_535),
    fallback: 8_787,
    help: "Status page, on 127.0.0.1; 0: any free one, printed on stderr.",
  },
  queueUrl: {
    key: "queueUrl",
    name: "BACKFILL_QUEUE_URL",
    group: "place",
    kind: optional(queueUrl),
    fallback: null,
    fallbackText: "embedded",
    help: "SQS queue to use instead of the embedded one.",
  },
  dlqUrl: {
    key: "dlqUrl",
    name: "BACKFILL_DLQ_URL",
    group: "place",
    kind: optional(queueUrl),
    fallback: null,
    fallbackText: "embedded",
    help: "Its dead-letter queue.",
  },
  table: {
    key: "table",
    name: "BACKFILL_TABLE",
    group: "place",
    kind: optional(matching("the name of a DynamoDB table", /^[\w.-]{3,255}$/)),
    fallback: null,
    fallbackText: "embedded",
    help: "DynamoDB table to use instead of the embedded one.",
  },
};

/** In the order of the documentation. */
export const SETTINGS: readonly SettingDefinition[] = Object.values(TABLE);

export function definitionOf<K extends SettingKey>(key: K): SettingDefinition<K> {
  return TABLE[key];
}

/** `batchSize` to `BACKFILL_BATCH_SIZE`; what is no key stays as it is. */
export function settingName(key: string): string {
  return SETTINGS.find((setting) => setting.key === key)?.name ?? key;
}

/** null: no setting has this name. */
export function definitionNamed(name: string): SettingDefinition | null {
  return SETTINGS.find((definition) => definition.name === name) ?? null;
}
