/** `start`: begins a new run; in the process that is there already, or here if there is none. */
import type { Command } from "../command.ts";
import { CommandError } from "../errors.ts";
import { findTarget, TARGET_OPTIONS } from "../find-target.ts";
import { sendControl } from "../send-control.ts";
import { runHere, runOptions } from "../run-here.ts";
import { SCOPE_OPTIONS, startEvent, startRequest } from "../start-request.ts";

export const start: Command = {
  name: "start",
  summary: "Begin a new run; where no process is there yet, this one does it.",
  details:
    "One run at a time: while one is not finished, a start is refused with its id. What is not given here comes\nfrom the settings.",
  options: {
    ...SCOPE_OPTIONS,
    new: { help: "Cancel the unfinished run, if there is one." },
    "dry-run": { help: "Only say what it would do." },
    "until-done": { help: "Where this process does the run: exit when it ends." },
    json: { help: "With it, as run --json." },
    consumers: { takes: "process", help: "With it, as run --consumers." },
    ...TARGET_OPTIONS,
  },
  examples: [
    { line: "start --days 3 --profile moderate", does: "The last three days, at 20 events a second." },
    { line: "start --from 2026-01-31T08:00:00Z --collections app.bsky.feed.post", does: "Posts since that moment." },
    { line: "start --new --dids @accounts.txt", does: "Instead of the unfinished run: the accounts of a file." },
  ],
  run: async (context, args) => {
    const request = startRequest(context, args, "start");
    const target = await findTarget(context, args);
    if (target !== null) return sendControl(context, target, startEvent("start", request));
    if (request.isDryRun) {
      throw new CommandError(
        "--dry-run asks the process that would do it, and there is none: begin it with firehose-backfill run",
      );
    }
    context.stderr.write("No process is there yet: this one does the run.\n");
    return runHere(context, { ...runOptions(args), start: request });
  },
};
