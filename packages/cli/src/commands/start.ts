/** `start`: begins a new run, in the process that is running, or in this one if there is none. */
import type { StartRequest } from "@firehose-backfill/backfill/control-event";
import { hostKey } from "@firehose-backfill/core/config/host-key";
import { UsageError } from "@firehose-backfill/core/errors";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
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
  summary: "Begin a new run; if no process is running, this one does the work.",
  details:
    "It begins beside runs that are open (20 at most), and shares their pace. If a run with the same source, filters and range is\nopen, start is refused and names it. Options that are not given come from the settings.",
  options: {
    ...SCOPE_OPTIONS,
    name: { takes: "NAME", help: "A name for the run, for --run: a-z, 0-9 and -." },
    "since-last": {
      help: "Begin where the last run ended (with --name: the last one of that name); if it is unfinished, continue it.",
    },
    new: {
      help: "Cancel the unfinished run first, if there is one: the only one that is open, or the one on the same source.",
    },
    run: { takes: "ID|NAME", help: "With --new: the run to cancel, if several are open on the same source." },
    "dry-run": { help: "Say what it would do, and do nothing." },
    "until-done": { help: "If this process does the work: exit when the run ends." },
    json: { help: "If this process does the work: as run --json." },
    consumers: { takes: "process", help: "If this process does the work: as run --consumers." },
    ...TARGET_OPTIONS,
  },
  examples: [
    { line: "start --days 3 --profile moderate", does: "The last three days, at 20 events a second." },
    { line: "start --from 2026-01-31T08:00:00Z --collections app.bsky.feed.post", does: "Posts since that moment." },
    {
      line: "start --name nightly --since-last",
      does: "Every night beside a long run: the events since the last nightly run.",
    },
    { line: "start --since-last --until-done", does: "Every night, from cron: the events since the last night." },
    {
      line: "start --new --dids @accounts.txt",
      does: "Cancel the unfinished run, and copy the accounts that are listed in a file.",
    },
  ],
  run: async (context, args) => {
    const wanted = startRequest(context, args, "start");
    const target = await findTarget(context, args);
    const plan = args.flag("since-last") ? await afterLast(context, args, target, wanted) : null;
    if (plan !== null) context.stderr.write(`Since last: ${plan.note}.\n`);
    if (plan?.kind === "nothing") return EXIT.ok;
    const request = plan?.kind === "begin" && plan.from !== null ? { ...wanted, from: plan.from } : wanted;
    if (target !== null) {
      if (plan?.kind === "go-on") return EXIT.ok;
      return sendControl(context, target, startEvent("start", request));
    }
    if (request.isDryRun) {
      throw new CommandError(
        "--dry-run asks the process that would do the work, and none is running. Start one with: firehose-backfill run",
      );
    }
    context.stderr.write("No process is running, so this one does the work.\n");
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
  const last = target === null ? await lastSnapshot(context, request.name) : await snapshotOf(target, request.name);
  const isHere = args.text("function") === undefined;
  return sinceLast(last, request, isHere ? hostKey(loadConfig(context).config.settings.relayUrl) : null);
}

/** null: no run has had this name. */
async function snapshotOf(target: ControlTarget, name: string | undefined): Promise<Snapshot | null> {
  try {
    return await target.snapshot(name);
  } catch (error) {
    if (name !== undefined && error instanceof UsageError) return null;
    throw error;
  }
}
