/** `discard`: removes dead events that nobody wants to apply any more. */
import { UsageError } from "@firehose-backfill/core/errors";
import type { Command } from "../command.ts";
import { RUN_OPTION, runOf, TARGET_OPTIONS } from "../find-target.ts";
import { steer } from "../steer-here.ts";

export const discard: Command = {
  name: "discard",
  summary: "Remove dead events that should not be applied any more. This cannot be undone.",
  details:
    "Their rows in firehose.dead_events go, so redrive no longer finds them. The run goes on counting them as dead. An event\nthat redrive has sent and that is still in the queue is not applied. If no process is running, this command does it itself.",
  options: {
    id: { takes: "ID", help: "This dead event; the command dead shows its id." },
    reason: { takes: "REASON", help: "All with this reason." },
    all: { help: "All." },
    run: { takes: RUN_OPTION.run.takes ?? "", help: "With --reason or --all: only those of this run." },
    ...TARGET_OPTIONS,
  },
  examples: [
    { line: "discard --reason bad-frame", does: "They hold no complete event, so redrive cannot apply them." },
    { line: "discard --all --run 20261128-101500-k3f9", does: "All of one run." },
  ],
  run: async (context, args) => {
    const id = args.text("id");
    const reason = args.text("reason");
    const all = args.flag("all");
    if ([id !== undefined, reason !== undefined, all].filter(Boolean).length !== 1)
      throw new UsageError(
        "discard: say which, with one of --id ID, --reason REASON and --all\nSee: firehose-backfill discard --help",
      );
    return steer(context, args, {
      action: "discard",
      ...(id === undefined ? {} : { id }),
      ...(reason === undefined ? {} : { reason }),
      ...(all ? { all } : {}),
      ...runOf(args),
    });
  },
};
