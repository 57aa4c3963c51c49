/** `redrive`: sends dead letters and dead events, or one dead event, through the queue again; they are applied at the pace of the run. */
import { UsageError } from "@firehose-backfill/core/errors";
import type { Command } from "../command.ts";
import { RUN_OPTION, runOf, TARGET_OPTIONS } from "../find-target.ts";
import { steer } from "../steer-here.ts";

export const redrive: Command = {
  name: "redrive",
  summary: "Try dead batches and dead events again, at the pace of the run.",
  details:
    "For a repository that could not be read it requests a resync (resyncs lists it). If no process is running, this command\napplies what belongs to a finished run, then it ends. It never begins a run. Exit code 3: something is still dead.",
  options: {
    id: { takes: "ID", help: "Only this dead event; the command dead shows its id." },
    reason: {
      takes: "REASON",
      help: "Only dead events with this reason, and no dead batches; the command dead shows reasons.",
    },
    run: { ...RUN_OPTION.run, help: "Only what is dead of this run; default: of all runs." },
    ...TARGET_OPTIONS,
  },
  examples: [
    { line: "redrive", does: "After the cause is fixed. The counts are corrected as events are applied." },
    { line: "redrive --reason database-23514", does: "What your constraint refused, once it accepts it." },
    { line: "redrive --run nightly", does: "Only the dead letters and dead events of one run." },
  ],
  run: (context, args) => {
    const id = args.text("id");
    const reason = args.text("reason");
    if (id !== undefined && reason !== undefined)
      throw new UsageError("redrive: --id names one dead event already: leave out --reason");
    return steer(context, args, {
      action: "redrive",
      ...(id === undefined ? {} : { id }),
      ...(reason === undefined ? {} : { reason }),
      ...runOf(args),
    });
  },
};
