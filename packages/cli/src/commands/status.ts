/** `status`: the progress of the run, from the process that runs it, or from its last snapshot. */
import { renderJson } from "@firehose-backfill/status/render-json";
import { renderText } from "@firehose-backfill/status/render-text";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { wantsColor } from "../color.ts";
import type { Args, Command } from "../command.ts";
import type { CliContext } from "../context.ts";
import { CommandError } from "../errors.ts";
import { EXIT } from "../exit-code.ts";
import { findTarget, lastSnapshot, TARGET_OPTIONS } from "../find-target.ts";
import { loadConfig } from "../load-config.ts";
import { listenForStop } from "../stop-signals.ts";
import { TerminalBlock } from "../terminal-block.ts";

export const status: Command = {
  name: "status",
  summary: "Show the status and the progress of the run.",
  details: "If no process is running, it shows the last known status, marked as stopped.",
  options: {
    watch: { help: "Show it again and again until the run ends, the process ends, or Ctrl-C." },
    json: { help: "One line of JSON; with --watch one line a second while it changes." },
    ...TARGET_OPTIONS,
  },
  examples: [
    { line: "status", does: "One look." },
    { line: "status --watch", does: "Redrawn every second." },
    { line: "status --json | jq .lagSeconds", does: "For scripts." },
  ],
  run: async (context, args) => {
    const options = { json: args.flag("json") };
    if (args.flag("watch")) return watch(context, args, options);
    show(context, await look(context, args), options);
    return EXIT.ok;
  },
};

const WATCH_EVERY_MS = 1_000;
/** If the output is not redrawn, a block each second would be too much. */
const PRINT_EVERY_MS = 10_000;

/** @throws CommandError if no run was ever started */
async function look(context: CliContext, args: Args): Promise<Snapshot> {
  const target = await findTarget(context, args);
  const snapshot = target === null ? await lastSnapshot(context) : await target.snapshot();
  if (snapshot !== null) return snapshot;
  const { dataDir } = loadConfig(context).config.settings;
  throw new CommandError(`no run has been started on ${dataDir} yet; begin one with: firehose-backfill run`);
}

async function watch(context: CliContext, args: Args, options: { readonly json: boolean }): Promise<number> {
  using signals = listenForStop(context, () => {});
  const isRedrawn = context.stdout.isTerminal && !options.json;
  const block = new TerminalBlock(context.stdout);
  let shownAt: string | null = null;
  while (!signals.stop.aborted) {
    const snapshot = await look(context, args);
    if (isRedrawn) block.draw(linesOf(context, snapshot));
    else if (snapshot.at !== shownAt) show(context, snapshot, options);
    shownAt = snapshot.at;
    if (isOver(snapshot)) break;
    await context.clock.sleep(isRedrawn || options.json ? WATCH_EVERY_MS : PRINT_EVERY_MS, signals.stop);
  }
  return EXIT.ok;
}

/** An errored run can be resumed, but nothing happens until somebody does. */
function isOver({ status: state, stopped }: Snapshot): boolean {
  return stopped === true || state === "succeeded" || state === "cancelled" || state === "errored";
}

function show(context: CliContext, snapshot: Snapshot, { json }: { readonly json: boolean }): void {
  const text = json ? renderJson(snapshot) : linesOf(context, snapshot).join("\n");
  context.stdout.write(`${text}\n`);
}

/** In a pipe, lines are not cut. */
function linesOf(context: CliContext, snapshot: Snapshot): readonly string[] {
  const { stdout } = context;
  const width = stdout.isTerminal ? stdout.columns() : Number.POSITIVE_INFINITY;
  return renderText(snapshot, { width, color: wantsColor(context, stdout) });
}
