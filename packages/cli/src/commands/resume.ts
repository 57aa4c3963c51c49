/** `resume`: a paused or errored run goes on, from where it was or from a place that the operator chooses. */
import { parseStartPoint } from "@firehose-backfill/backfill/points";
import { UsageError } from "@firehose-backfill/core/errors";
import type { Command } from "../command.ts";
import { findTarget, lastSnapshot, TARGET_OPTIONS } from "../find-target.ts";
import { CommandError } from "../errors.ts";
import { loadConfig } from "../load-config.ts";
import { runHere, runOptions } from "../run-here.ts";
import { sendControl } from "../send-control.ts";

export const resume: Command = {
  name: "resume",
  summary: "Go on with a paused or errored run; where no process is there, this one does it.",
  details: "It never begins a run.",
  options: {
    from: { takes: "SEQ|TIME|oldest|live", help: "Go on from there, instead of from where it was." },
    "until-done": { help: "Where this process does the run: exit when it ends." },
    json: { help: "With it, as run --json." },
    consumers: { takes: "process", help: "With it, as run --consumers." },
    ...TARGET_OPTIONS,
  },
  examples: [
    { line: "resume", does: "From where it was." },
    { line: "resume --from oldest", does: "After the relay's sequence began anew: from what it keeps now." },
  ],
  run: async (context, args) => {
    const from = args.text("from");
    if (from !== undefined) parseStartPoint(from);
    const target = await findTarget(context, args);
    if (target !== null)
      return sendControl(context, target, { action: "resume", ...(from === undefined ? {} : { from }) });
    if ((await lastSnapshot(context)) === null) {
      const { dataDir } = loadConfig(context).config.settings;
      throw new CommandError(`nothing has been run on ${dataDir} yet: begin with firehose-backfill run`);
    }
    context.stderr.write("No process is there: this one goes on with the run.\n");
    const options = runOptions(args);
    try {
      return await runHere(context, { ...options, resume: { from: from ?? null } });
    } catch (error) {
      // The command is right, and the run's state refuses it.
      throw error instanceof UsageError ? new CommandError(error.message) : error;
    }
  },
};
