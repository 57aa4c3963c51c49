/** The configuration of a deployed function: the same settings as everywhere else, and the services that infra/ made. */
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { readEnv } from "@firehose-backfill/core/config/read-env";
import type { Config } from "@firehose-backfill/core/config/settings";
import { ConfigError } from "@firehose-backfill/core/errors";
import { linkedSecret } from "./links.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface DeployedConfig {
  readonly config: Config;
  /** The same with a control event's settings on top. @throws ConfigError */
  readonly configure: (values: Readonly<Record<string, string>>) => Config;
  readonly queueUrl: string;
  readonly dlqUrl: string;
  readonly table: string;
}

/** @throws ConfigError with every problem */
export function readDeployedConfig(env: Environment): DeployedConfig {
  const raw = readEnv(env);
  const root = env["LAMBDA_TASK_ROOT"] ?? ".";
  // Lists given as @file travel in the bundle, under the function's root.
  const options = { deployed: true, readFile: (path: string) => readFileSync(join(root, path), "utf8") };
  const config = parseConfig(raw, options);
  const { queueUrl, dlqUrl, table } = config.settings;
  if (queueUrl === null || dlqUrl === null || table === null)
    throw new ConfigError([
      "BACKFILL_QUEUE_URL, BACKFILL_DLQ_URL and BACKFILL_TABLE are set by the deploy, but one of them is missing: deploy again",
    ]);
  return {
    config,
    configure: (values) => parseConfig(raw, { ...options, overrides: [{ source: "event", values }] }),
    queueUrl,
    dlqUrl,
    table,
  };
}

/** The linked secret; on a local host, where nothing is linked, DATABASE_URL. @throws ConfigError */
export function databaseUrlOf({ settings }: Config): string {
  const databaseUrl = linkedSecret("DatabaseUrl") ?? settings.databaseUrl;
  if (databaseUrl === null)
    throw new ConfigError(["the secret DatabaseUrl is not set: sst secret set DatabaseUrl postgres://…, then deploy"]);
  if (settings.databaseCa === null) return databaseUrl;
  // It comes last: of a name that is given twice, Postgres' own programs take the last, and so does our reading of the URL.
  const mark = databaseUrl.includes("?") ? "&" : "?";
  return `${databaseUrl}${mark}sslmode=verify-full&sslrootcert=${encodeURIComponent(settings.databaseCa)}`;
}
