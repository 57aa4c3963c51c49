/** `start`: begins a new run; in the process that is there already, or here if there is none. */
import type { StartRequest } from "@firehose-backfill/backfill/control-event";
import { hostKey } from "@firehose-backfill/core/config/host-key";
import type { Args, Command } from "../command.ts";
import type { CliContext } from "../context.ts";
import type { ControlTarget } from "../control-target.ts";
import { CommandError } from "../errors.ts";
import { EXIT } from "../exit-code.ts";
import { findTarget, lastSnapshot, TARGET_OPTIONS } from "../find-target.ts";
import { loadConfig } from "../load-config.ts";
import { runHere, runOptions } from "../run-here.ts";
import { sendControl } from "../send-control.ts";
import { type SinceLast, sinceLast } from "../since-last.ts";
import { SCOPE_OPTIONS, startEvent, startRequest } from "../start-request.ts";

export const start: Command = {
  name: "start",
  summary: "Begin a new run; where no process is there yet, this one does it.",
  details:
    "One run at a time: while one is not finished, a start is refused with its id. What is not given here comes\nfrom the settings.",
  options: {
    ...SCOPE_OPTIONS,
    "since-last": { help: "Begin where the last run ended; an unfinished one goes on." },
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
    { line: "start --since-last --until-done", does: "Every night, from cron: what has come since the night before." },
    { line: "start --new --dids @accounts.txt", does: "Instead of the unfinished run: the accounts of a file." },
  ],
  run: async (context, args) => {
    const wanted = startRequest(context, args, "start");
    const target = await findTarget(context, args);
    const plan = args.flag("since-last") ? await afterLast(context, args, target, wanted) : null;
    if (plan !== null) context.stderr.write(`Since last: ${plan.note}.\n`);
    const request = plan?.kind === "begin" && plan.from !== null ? { ...wanted, from: plan.from } : wanted;
    if (target !== null) {
      if (plan?.kind === "go-on") return EXIT.ok;
      return sendControl(context, target, startEvent("start", request));
    }
    if (request.isDryRun) {
      throw new CommandError(
        "--dry-run asks the process that would do it, and there is none: begin it with firehose-backfill run",
      );
    }
    context.stderr.write("No process is there yet: this one does the run.\n");
    return runHere(context, { ...runOptions(args), ...(plan?.kind === "go-on" ? {} : { start: request }) });
  },
};

/** @throws UsageError, CommandError */
async function afterLast(
  context: CliContext,
  args: Args,
  target: ControlTarget | null,
  request: StartRequest,
): Promise<SinceLast> {
  const last = target === null ? await lastSnapshot(context) : await target.snapshot();
  const isHere = args.text("function") === undefined;
  return sinceLast(last, request, isHere ? hostKey(loadConfig(context).config.settings.relayUrl) : null);
}
