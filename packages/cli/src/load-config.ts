/** The configuration of a command: environment and `.env`, read once. */
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { readEnv } from "@firehose-backfill/core/config/read-env";
import type { Config } from "@firehose-backfill/core/config/settings";
import { ConfigError, describeError } from "@firehose-backfill/core/errors";
import type { CliContext } from "./context.ts";

export interface LoadedConfig {
  readonly config: Config;
  /** The same with a control event's settings on top. @throws ConfigError */
  readonly configure: (values: Readonly<Record<string, string>>) => Config;
}

/** @throws ConfigError with every problem. */
export function loadConfig(context: Pick<CliContext, "env" | "readFile">): LoadedConfig {
  const raw = readEnv(context.env, readDotEnv(context));
  const { readFile } = context;
  return {
    config: parseConfig(raw, { readFile }),
    configure: (values) => parseConfig(raw, { readFile, overrides: [{ source: "event", values }] }),
  };
}

function readDotEnv({ readFile }: Pick<CliContext, "readFile">): string | undefined {
  try {
    return readFile(".env");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new ConfigError([`.env cannot be read: ${describeError(error)}`]);
  }
}
