/** Finds the target of a command: the process that uses BACKFILL_DATA_DIR, or the deployed function that was named. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isName } from "@firehose-backfill/backfill/control-event";
import { findServer } from "@firehose-backfill/embedded/data-dir";
import { folderTrouble } from "@firehose-backfill/embedded/folder-trouble";
import { RUNS_FILE, SNAPSHOT_FILE, snapshotFileOf } from "@firehose-backfill/server/state-files";
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

/** Shared by every command that is about one run. */
export const RUN_OPTION: Readonly<Record<"run", OptionSpec>> = {
  run: { takes: "ID|NAME", help: "Which run, if several are open." },
};

/** As a part of a control event. */
export function runOf(args: Args): { readonly run?: string } {
  const run = args.text("run");
  return run === undefined ? {} : { run };
}

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

/** The last snapshot of a process that has ended, marked as stopped; null if there is none. `run`: of the run with this id or name. */
export async function lastSnapshot(context: CliContext, run?: string): Promise<Snapshot | null> {
  const all = await lastSnapshots(context);
  if (run === undefined) return (await readSnapshots(context, SNAPSHOT_FILE)).at(0) ?? all.at(-1) ?? null;
  const last = await readSnapshots(context, SNAPSHOT_FILE);
  const named = isName(run) ? await readSnapshots(context, snapshotFileOf(run)) : [];
  return [...all, ...last, ...named].find(({ runId, name }) => runId === run || name === run) ?? null;
}

/** Of each run that was open when the process ended. */
export async function lastSnapshots(context: CliContext): Promise<readonly Snapshot[]> {
  return readSnapshots(context, RUNS_FILE);
}

/** Empty: there is no such file. @throws CommandError */
async function readSnapshots(context: CliContext, file: string): Promise<readonly Snapshot[]> {
  const { dataDir } = loadConfig(context).config.settings;
  try {
    const stored: unknown = JSON.parse(await readFile(join(dataDir, file), "utf8"));
    const snapshots = (Array.isArray(stored) ? stored : [stored]).map(parseSnapshot);
    return snapshots.filter((snapshot) => snapshot !== null).map(stoppedSnapshot);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    const why = folderTrouble(error, dataDir) ?? "it was not written by a run";
    throw new CommandError(`${join(dataDir, file)} cannot be read: ${why}`, { cause: error });
  }
}
