/** `status`: the progress of the open runs, from the process that runs them, or from their last snapshots. */
import { UsageError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { renderJson } from "@firehose-backfill/status/render-json";
import { renderRunsText } from "@firehose-backfill/status/render-runs-text";
import { renderText } from "@firehose-backfill/status/render-text";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { wantsColor } from "../color.ts";
import type { Args, Command } from "../command.ts";
import type { CliContext } from "../context.ts";
import { CommandError } from "../errors.ts";
import { EXIT } from "../exit-code.ts";
import { findTarget, lastSnapshot, lastSnapshots, RUN_OPTION, TARGET_OPTIONS } from "../find-target.ts";
import { loadConfig } from "../load-config.ts";
import { listenForStop } from "../stop-signals.ts";
import { TerminalBlock } from "../terminal-block.ts";

export const status: Command = {
  name: "status",
  summary: "Show the status and the progress of the run.",
  details:
    "If several runs are open, it shows a list of them. If no process is running, it shows the last known status, marked as\nstopped.",
  options: {
    watch: { help: "Show it again and again until the run ends, the process ends, or Ctrl-C." },
    json: { help: "One line of JSON; with --watch one line a second while it changes." },
    all: { help: "The list, even if one run is open; with --json an array." },
    ...RUN_OPTION,
    ...TARGET_OPTIONS,
  },
  examples: [
    { line: "status", does: "One look." },
    { line: "status --watch", does: "Redrawn every second." },
    { line: "status --json | jq .lagSeconds", does: "For scripts." },
    { line: "status --json --all | jq '.[].name'", does: "For scripts, of several runs." },
    { line: "status --run nightly", does: "One of several runs." },
  ],
  run: async (context, args) => {
    const options = { json: args.flag("json"), all: args.flag("all") };
    if (options.all && args.text("run") !== undefined)
      throw new UsageError("status: --all shows every run and --run one of them: give one of the two");
    if (args.flag("watch")) return watch(context, args, options);
    show(context, await look(context, args, options), options);
    return EXIT.ok;
  },
};

const WATCH_EVERY_MS = 1_000;
/** If the output is not redrawn, a block each second would be too much. */
const PRINT_EVERY_MS = 10_000;

interface Options {
  readonly json: boolean;
  readonly all: boolean;
}

/**
 * One run, or of a list each of them.
 * @throws CommandError if no run was ever started; UsageError if one object is asked for and several runs are open
 */
async function look(context: CliContext, args: Args, { json, all }: Options): Promise<readonly Snapshot[]> {
  const run = args.text("run");
  const target = await findTarget(context, args);
  if (target === null) return last(context, { run, all: all || !json });
  if (run !== undefined) return [await target.snapshot(run)];
  const snapshots = await target.snapshots();
  if (json && !all && snapshots.length > 1)
    throw new UsageError(
      `${snapshots.length} runs are open: status --json --all shows each, --run one of them\n${namesOf(snapshots)}`,
    );
  return snapshots;
}

/** What a process that has ended left in the data folder. */
async function last(
  context: CliContext,
  { run, all }: { readonly run: string | undefined; readonly all: boolean },
): Promise<readonly Snapshot[]> {
  const { dataDir } = loadConfig(context).config.settings;
  if (run === undefined && all) {
    const snapshots = await lastSnapshots(context);
    if (snapshots.length > 1) return snapshots;
  }
  const snapshot = await lastSnapshot(context, run);
  if (snapshot !== null) return [snapshot];
  if (run !== undefined) throw new UsageError(`no run on ${dataDir} has the id or the name ${escapeForLog(run)}`);
  throw new CommandError(`no run has been started on ${dataDir} yet; begin one with: firehose-backfill run`);
}

function namesOf(snapshots: readonly Snapshot[]): string {
  return snapshots
    .map(({ runId, name, host }) => `  ${name ?? runId}${name === null ? "" : ` (${runId})`} on ${host}`)
    .map((line) => escapeForLog(line))
    .join("\n");
}

async function watch(context: CliContext, args: Args, options: Options): Promise<number> {
  using signals = listenForStop(context, () => {});
  const isRedrawn = context.stdout.isTerminal && !options.json;
  const block = new TerminalBlock(context.stdout);
  let shownAt: string | null = null;
  while (!signals.stop.aborted) {
    const snapshots = await look(context, args, options);
    const at = snapshots.map((snapshot) => snapshot.at).join();
    if (isRedrawn) block.draw(linesOf(context, snapshots, options));
    else if (at !== shownAt) show(context, snapshots, options);
    shownAt = at;
    if (snapshots.every(isOver)) break;
    await context.clock.sleep(isRedrawn || options.json ? WATCH_EVERY_MS : PRINT_EVERY_MS, signals.stop);
  }
  return EXIT.ok;
}

/** An errored run can be resumed, but nothing happens until somebody does. */
function isOver({ status: state, stopped }: Snapshot): boolean {
  return stopped === true || state === "succeeded" || state === "cancelled" || state === "errored";
}

function show(context: CliContext, snapshots: readonly Snapshot[], options: Options): void {
  context.stdout.write(
    `${options.json ? jsonOf(snapshots, options) : linesOf(context, snapshots, options).join("\n")}\n`,
  );
}

function jsonOf(snapshots: readonly Snapshot[], { all }: Options): string {
  const lines = snapshots.map(renderJson);
  return all ? `[${lines.join(",")}]` : lines.join("\n");
}

/** In a pipe, lines are not cut. */
function linesOf(context: CliContext, snapshots: readonly Snapshot[], { all }: Options): readonly string[] {
  const { stdout } = context;
  const width = stdout.isTerminal ? stdout.columns() : Number.POSITIVE_INFINITY;
  const options = { width, color: wantsColor(context, stdout) };
  const [only] = snapshots;
  return only !== undefined && snapshots.length === 1 && !all
    ? renderText(only, options)
    : renderRunsText(snapshots, options);
}
