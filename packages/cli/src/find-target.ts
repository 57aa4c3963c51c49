/** Finds the target of a command: the process that uses BACKFILL_DATA_DIR, or the deployed function that was named. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { findServer } from "@firehose-backfill/embedded/data-dir";
import { folderTrouble } from "@firehose-backfill/embedded/folder-trouble";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { stoppedSnapshot } from "@firehose-backfill/status/stored-snapshot";
import type { Args, OptionSpec } from "./command.ts";
import type { CliContext } from "./context.ts";
import type { ControlTarget } from "./control-target.ts";
import { CommandError } from "./errors.ts";
import { functionTarget } from "./function-target.ts";
import { httpTarget } from "./http-target.ts";
import { loadConfig } from "./load-config.ts";
import { parseSnapshot } from "./parse-snapshot.ts";

/** Shared by every command that can also steer a deployed run. */
export const TARGET_OPTIONS: Readonly<Record<"function", OptionSpec>> = {
  function: { takes: "NAME", help: "The deployed control function, instead of this machine's process." },
};

const SNAPSHOT_FILE = "snapshot.json";

/** null: no process uses the data folder. @throws CommandError, ConfigError */
export async function findTarget(context: CliContext, args: Args): Promise<ControlTarget | null> {
  const name = args.text("function");
  if (name !== undefined) {
    const { openInvoker } = await context.loadInvoker();
    return functionTarget({ name, invoke: openInvoker() });
  }
  const { config } = loadConfig(context);
  const server = await findServer(config.settings.dataDir);
  return server === null ? null : httpTarget({ url: server.url, fetch: context.fetch });
}

/** `why`: the consequence for this command. @throws CommandError if no process is running */
export async function requireTarget(context: CliContext, args: Args, why?: string): Promise<ControlTarget> {
  const target = await findTarget(context, args);
  if (target !== null) return target;
  const { dataDir } = loadConfig(context).config.settings;
  throw new CommandError(
    `no process is running on ${dataDir}${why === undefined ? "" : `: ${why}`}. To continue the unfinished run, or to begin one: firehose-backfill run`,
  );
}

/** The last snapshot of a process that has ended, marked as stopped; null if there is none. */
export async function lastSnapshot(context: CliContext): Promise<Snapshot | null> {
  const { dataDir } = loadConfig(context).config.settings;
  try {
    const snapshot = parseSnapshot(JSON.parse(await readFile(join(dataDir, SNAPSHOT_FILE), "utf8")));
    return snapshot === null ? null : stoppedSnapshot(snapshot);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    const why = folderTrouble(error, dataDir) ?? "it was not written by a run";
    throw new CommandError(`${join(dataDir, SNAPSHOT_FILE)} cannot be read: ${why}`, { cause: error });
  }
}
