/** `log`: who did what to a run, and when. */
import { actionLog } from "@firehose-backfill/status/action-log";
import { formatTime } from "@firehose-backfill/status/format";
import type { Command } from "../command.ts";
import { CommandError } from "../errors.ts";
import { EXIT } from "../exit-code.ts";
import { findTarget, lastSnapshot, RUN_OPTION, TARGET_OPTIONS } from "../find-target.ts";

export const log: Command = {
  name: "log",
  summary: "Show who did what to a run: starts, pauses, tunes, redrives, by command, page, control event or schedule.",
  details:
    "Of each run the last 100 actions and the last 5 changes of the pace are kept. If no process is running, it shows what the\nlast process knew; what was done since then is shown when the next one runs.",
  options: { ...RUN_OPTION, json: { help: "One JSON object per line." }, ...TARGET_OPTIONS },
  examples: [
    { line: "log", does: "Of the run that began last, oldest first." },
    { line: "log --run nightly --json | jq -r .by", does: "Who acted on the run named nightly." },
  ],
  run: async (context, args) => {
    const run = args.text("run");
    const target = await findTarget(context, args);
    const snapshot = target === null ? await lastSnapshot(context, run) : await target.snapshot(run);
    if (snapshot === null || snapshot.runId === null)
      throw new CommandError(run === undefined ? "no run has been started yet" : `nothing is known of a run ${run}`);
    const entries = actionLog(snapshot);
    for (const entry of entries) {
      const { at, what, by, detail } = entry;
      const line = `${formatTime(at)}  ${what} by ${by}${detail === "" ? "" : `: ${detail}`}`;
      context.stdout.write(`${args.flag("json") ? JSON.stringify({ run: snapshot.runId, ...entry }) : line}\n`);
    }
    if (entries.length === 0) context.stderr.write(`Nobody has done anything to run ${snapshot.runId}.\n`);
    return EXIT.ok;
  },
};
