/** The configuration of a command: environment and `.env`, read once. */
import { FileTextError } from "@firehose-backfill/core/config/file-text";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { readEnv } from "@firehose-backfill/core/config/read-env";
import type { Config } from "@firehose-backfill/core/config/settings";
import { ConfigError, describeError } from "@firehose-backfill/core/errors";
import type { CliContext } from "./context.ts";

export interface LoadedConfig {
  readonly config: Config;
  /** The same, with a control event's settings on top. @throws ConfigError */
  readonly configure: (values: Readonly<Record<string, string>>) => Config;
}

const DOT_ENV = ".env";

/** @throws ConfigError with every problem. */
export function loadConfig(context: Pick<CliContext, "env" | "readFile">): LoadedConfig {
  const raw = readEnv(context.env, readDotEnv(context));
  const { readFile } = context;
  return {
    config: parseConfig(raw, { readFile }),
    configure: (values) => parseConfig(raw, { readFile, overrides: [{ source: "event", values }] }),
  };
}

/** @throws ConfigError: a file that exists but cannot be read is never ignored */
function readDotEnv({ readFile }: Pick<CliContext, "readFile">): string | undefined {
  try {
    return readFile(DOT_ENV);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENOENT") return undefined;
    if (error instanceof FileTextError) throw new ConfigError([`${DOT_ENV} ${error.message}`]);
    throw new ConfigError([`${DOT_ENV} cannot be read: ${whyUnreadable(code, error)}`]);
  }
}

function whyUnreadable(code: unknown, error: unknown): string {
  if (code === "EISDIR") return "it is a folder; rename it, or start in another folder";
  if (code === "EACCES" || code === "EPERM") return "this user may not read it (chmod or chown it)";
  return describeError(error);
}
