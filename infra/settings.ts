/**
 * The settings of a deploy. Names, ranges and messages are the same as everywhere else, because core's configuration parses them. A
 * wrong setting fails `sst deploy` before anything is created. The functions get the values that were set here under the same names
 * and parse them again, so that the status page can say where a value came from.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { SETTINGS } from "../packages/core/src/config/definitions.ts";
import { parseConfig } from "../packages/core/src/config/parse.ts";
import { readEnv } from "../packages/core/src/config/read-env.ts";
import type { Config } from "../packages/core/src/config/settings.ts";
import { LARGEST_MEMORY_LIMIT_MB } from "../packages/core/src/cost/function-memory.ts";
import { type Kept, settingsToKeep } from "./kept-settings.ts";

/** The stage that people rely on. */
export const PRODUCTION = "production";

export interface DeploySettings {
  readonly config: Config;
  /** For every function. */
  readonly environment: Readonly<Record<string, string>>;
  /** Lists given as `@file`. They are part of the bundle, because an environment holds only 4 KB. */
  readonly bundledFiles: readonly BundledFile[];
  readonly isTraced: boolean;
  readonly logRetentionDays: number;
  /** What the next deploy of this stage is compared with. */
  readonly toKeep: Kept;
}

export interface BundledFile {
  /** The path on the machine that deploys. */
  readonly from: string;
  /** The path in the function, relative to its root. */
  readonly to: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const LOG_RETENTION_DAYS = 30;

/**
 * Lambda's limit is 4,096 bytes for all names and values as one JSON object. SST's variables and the addresses of table, queues
 * and topic need the rest: most in `sst dev` with the longest stage name, which test/infra/rehearsal.test.ts checks.
 */
export const LARGEST_ENVIRONMENT_BYTES = 2_800;

/** Settings that are lists and may be given as a file. */
const LISTS = new Set(["BACKFILL_COLLECTIONS", "BACKFILL_DIDS"]);

/** In the bundle of each function. */
const DATABASE_CA_FILE = "settings/database-ca.pem";

/** Names that have another meaning here: the secret, the deployed queue and table, the machine that deploys. */
const NOT_FOR_FUNCTIONS = new Set([
  "DATABASE_URL",
  "BACKFILL_QUEUE_URL",
  "BACKFILL_DLQ_URL",
  "BACKFILL_TABLE",
  "BACKFILL_DATA_DIR",
  "BACKFILL_ALARM_EMAIL",
  "BACKFILL_ALARM_TOPIC_ARN",
  "PORT",
]);

/** @throws ConfigError that lists every problem; Error for problems that only a deploy can have. */
export function readSettings(env: Environment, options: { readonly stage: string }): DeploySettings {
  const config = parseConfig(readEnv(env), { deployed: true, readFile: (path) => readFileSync(path, "utf8") });
  const { maxMemoryMb, alarmEmail, alarmTopicArn } = config.settings;
  if (maxMemoryMb > LARGEST_MEMORY_LIMIT_MB) {
    throw new Error(
      `BACKFILL_MAX_MEMORY_MB is ${maxMemoryMb}; a function gets a quarter more than the limit and has at most ` +
        `10240 MB, so that ${LARGEST_MEMORY_LIMIT_MB} is the largest limit on AWS.`,
    );
  }
  refuseHalfANetwork(config.settings);
  refuseAuditInNetwork(config.settings);
  if (alarmEmail !== null && alarmTopicArn !== null) {
    throw new Error(
      "BACKFILL_ALARM_EMAIL and BACKFILL_ALARM_TOPIC_ARN are both set; subscribe the address to your topic, and set the topic alone.",
    );
  }
  if (options.stage === PRODUCTION && alarmEmail === null && alarmTopicArn === null) {
    throw new Error(
      `The stage ${PRODUCTION} has nobody who hears of its alarms: set BACKFILL_ALARM_EMAIL or BACKFILL_ALARM_TOPIC_ARN. ` +
        "If nobody shall: BACKFILL_ALARM_EMAIL=none.",
    );
  }
  const { environment, bundledFiles } = handOver(env);
  return {
    config,
    environment,
    bundledFiles,
    isTraced: readTracing(env["LAMBDA_TRACING"]),
    logRetentionDays: LOG_RETENTION_DAYS,
    toKeep: settingsToKeep(env, (path) => readFileSync(path, "utf8")),
  };
}

function refuseHalfANetwork({ vpcSubnets, vpcSecurityGroups }: Config["settings"]): void {
  if (vpcSubnets.length > 0 === vpcSecurityGroups.length > 0) return;
  const [set, missing] = ["BACKFILL_VPC_SUBNETS", "BACKFILL_VPC_SECURITY_GROUPS"];
  throw new Error(
    vpcSubnets.length > 0
      ? `${set} is set, but ${missing} is not: set both, or neither.`
      : `${missing} is set, but ${set} is not: set both, or neither.`,
  );
}

/** A function in a VPC does not reach the accounts' hosts, and one outside does not reach the database. */
function refuseAuditInNetwork({ auditSample, vpcSubnets }: Config["settings"]): void {
  if (auditSample === 0 || vpcSubnets.length === 0) return;
  throw new Error(
    "BACKFILL_AUDIT_SAMPLE and BACKFILL_VPC_SUBNETS are both set, but in a VPC no function reaches both the database and the accounts' " +
      "hosts. Unset BACKFILL_AUDIT_SAMPLE, and run firehose-backfill audit --sample N on a machine that reaches both (docs/audit.md).",
  );
}

function handOver(env: Environment): Pick<DeploySettings, "environment" | "bundledFiles"> {
  const environment: Record<string, string> = {};
  const bundledFiles: BundledFile[] = [];
  for (const { name } of SETTINGS) {
    const value = env[name]?.trim() ?? "";
    if (value === "" || NOT_FOR_FUNCTIONS.has(name)) continue;
    if (value.startsWith("@")) {
      const file = { from: value.slice(1), to: `settings/${name}.txt` };
      bundledFiles.push(file);
      environment[name] = `@${file.to}`;
    } else if (name === "BACKFILL_DATABASE_CA") {
      refuseNoCertificates(value);
      bundledFiles.push({ from: value, to: DATABASE_CA_FILE });
      environment[name] = DATABASE_CA_FILE;
    } else {
      environment[name] = value;
    }
  }
  refuseTooLarge(environment);
  return { environment, bundledFiles };
}

/** @throws Error where the file holds none that Node can read */
function refuseNoCertificates(path: string): void {
  const text = readFileSync(path, "utf8");
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0)
    throw new Error(`BACKFILL_DATABASE_CA is "${path}", and that file holds no certificate in PEM.`);
  for (const certificate of certificates) {
    const { validTo } = new X509Certificate(certificate);
    if (new Date(validTo) > new Date()) return;
  }
  throw new Error(`BACKFILL_DATABASE_CA is "${path}", and every certificate in that file has expired.`);
}

function refuseTooLarge(environment: Readonly<Record<string, string>>): void {
  const bytes = bytesAsJson(environment);
  if (bytes <= LARGEST_ENVIRONMENT_BYTES) return;
  const sizes = Object.entries(environment).map(([name, value]) => [name, bytesAsJson(value)] as const);
  const [largest] = sizes.sort(([, a], [, b]) => b - a)[0] ?? [""];
  const wayOut = LISTS.has(largest) ? `write its list to a file and set ${largest}=@file` : "make it shorter";
  throw new Error(
    `The settings take ${bytes} bytes as JSON, which is how Lambda counts, and a function's environment has room for ` +
      `${LARGEST_ENVIRONMENT_BYTES} of them. ${largest} is the largest: ${wayOut}.`,
  );
}

function bytesAsJson(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** A setting of the deploy, not of a run: `off` (default) or `active`. */
function readTracing(raw: string | undefined): boolean {
  const value = raw?.trim() ?? "";
  if (value === "" || value === "off") return false;
  if (value === "active") return true;
  throw new Error(`LAMBDA_TRACING is "${value}"; it takes off or active.`);
}
