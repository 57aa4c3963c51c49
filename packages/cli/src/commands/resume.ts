/** `resume`: continues a paused or errored run, from where it stopped or from a position that the operator chooses. */
import { parseStartPoint } from "@firehose-backfill/backfill/parse-range";
import { ChooseRunError } from "@firehose-backfill/backfill/open-run";
import { UsageError } from "@firehose-backfill/core/errors";
import type { Command } from "../command.ts";
import { findTarget, lastSnapshot, RUN_OPTION, runOf, TARGET_OPTIONS } from "../find-target.ts";
import { CommandError } from "../errors.ts";
import { loadConfig } from "../load-config.ts";
import { runHere, runOptions } from "../run-here.ts";
import { sendControl } from "../send-control.ts";

export const resume: Command = {
  name: "resume",
  summary: "Continue a paused or errored run; if no process is running, this one does the work.",
  details: "It never begins a run.",
  options: {
    from: { takes: "SEQ|TIME|oldest|live", help: "Continue from there, instead of from where the run stopped." },
    "until-done": { help: "If this process does the work: exit when the run ends." },
    json: { help: "If this process does the work: as run --json." },
    consumers: { takes: "process", help: "If this process does the work: as run --consumers." },
    ...RUN_OPTION,
    ...TARGET_OPTIONS,
  },
  examples: [
    { line: "resume", does: "Continue where the run stopped." },
    {
      line: "resume --from oldest",
      does: "After the relay began its sequence again: continue at the oldest event it keeps.",
    },
  ],
  run: async (context, args) => {
    const from = args.text("from");
    if (from !== undefined) parseStartPoint(from);
    const target = await findTarget(context, args);
    if (target !== null)
      return sendControl(context, target, {
        action: "resume",
        ...(from === undefined ? {} : { from }),
        ...runOf(args),
      });
    if ((await lastSnapshot(context)) === null) {
      const { dataDir } = loadConfig(context).config.settings;
      throw new CommandError(
        `there is nothing to resume: no run has been started on ${dataDir} yet. Begin one with: firehose-backfill run`,
      );
    }
    context.stderr.write("No process is running, so this one continues the run.\n");
    const options = runOptions(args);
    try {
      return await runHere(context, { ...options, resume: { from: from ?? null, ...runOf(args) } });
    } catch (error) {
      // The command itself is correct, but the run's state does not allow it.
      throw error instanceof UsageError && !(error instanceof ChooseRunError) ? new CommandError(error.message) : error;
    }
  },
};
