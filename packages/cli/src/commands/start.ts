/** `start`: begins a new run; in the process that is there already, or here if there is none. */
import type { StartRequest } from "@firehose-backfill/backfill/control-event";
import { definitionOf } from "@firehose-backfill/core/config/definitions";
import { UsageError } from "@firehose-backfill/core/errors";
import type { Args, Command } from "../command.ts";
import type { CliContext } from "../context.ts";
import { CommandError } from "../errors.ts";
import { findTarget, TARGET_OPTIONS } from "../find-target.ts";
import { sendControl } from "../send-control.ts";
import { runHere, runOptions } from "../run-here.ts";

export const start: Command = {
  name: "start",
  summary: "Begin a new run; where no process is there yet, this one does it.",
  details:
    "One run at a time: while one is not finished, a start is refused with its id. What is not given here comes\nfrom the settings.",
  options: {
    days: { takes: "N", help: "How far back by event time; -1: everything the relay keeps." },
    from: { takes: "SEQ|TIME|oldest|live", help: "Where to begin, instead of --days." },
    to: { takes: "SEQ|TIME", help: "Where to end, instead of now." },
    new: { help: "Cancel the unfinished run, if there is one." },
    "dry-run": { help: "Only say what it would do." },
    "until-done": { help: "Where this process does the run: exit when it ends." },
    json: { help: "With it, as run --json." },
    consumers: { takes: "process", help: "With it, as run --consumers." },
    profile: { takes: "NAME", help: "background, moderate or fast." },
    collections: { takes: "LIST", help: "Collections, with commas, or @FILE." },
    dids: { takes: "LIST", help: "DIDs, with commas, or @FILE." },
    ...TARGET_OPTIONS,
  },
  examples: [
    { line: "start --days 3 --profile moderate", does: "The last three days, at 20 events a second." },
    { line: "start --from 2026-01-31T08:00:00Z --collections app.bsky.feed.post", does: "Posts since that moment." },
    { line: "start --new --dids @accounts.txt", does: "Instead of the unfinished run: the accounts of a file." },
  ],
  run: async (context, args) => {
    const request = startRequest(context, args);
    const target = await findTarget(context, args);
    if (target !== null) return sendControl(context, target, { action: "start", ...eventOf(request) });
    if (request.isDryRun) {
      throw new CommandError(
        "--dry-run asks the process that would do it, and there is none: begin it with firehose-backfill run",
      );
    }
    context.stderr.write("No process is there yet: this one does the run.\n");
    return runHere(context, { ...runOptions(args), start: request });
  },
};

/** @throws UsageError */
function startRequest(context: CliContext, args: Args): StartRequest {
  const texts = {
    days: args.text("days"),
    from: args.text("from"),
    to: args.text("to"),
    profile: args.text("profile"),
  };
  if (texts.days !== undefined && texts.from !== undefined) {
    throw new UsageError("start: --days and --from both say where to begin: give one of them");
  }
  const lists = { collections: listOf(context, args, "collections"), dids: listOf(context, args, "dids") };
  return { ...given(texts), ...given(lists), isNew: args.flag("new"), isDryRun: args.flag("dry-run") };
}

/** Read here: a process elsewhere does not see this one's files, and a control event may not name any. */
function listOf(context: CliContext, args: Args, name: "collections" | "dids"): readonly string[] | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const { kind } = definitionOf(name);
  const parsed = kind.parse(text, { readFile: context.readFile });
  if ("value" in parsed) return parsed.value;
  const detail = parsed.problem === "" ? "" : ` (${parsed.problem})`;
  throw new UsageError(`start: --${name} is ${kind.showHeld(text)}${detail}; it takes ${kind.takes}`);
}

function eventOf({ isNew, isDryRun, ...request }: StartRequest): Readonly<Record<string, unknown>> {
  return { ...request, ...(isNew ? { new: true } : {}), ...(isDryRun ? { dryRun: true } : {}) };
}

/** Without what was not given. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same keys, without those that hold undefined
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
