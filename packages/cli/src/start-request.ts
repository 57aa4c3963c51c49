/** Reads the options of `start` and `plan` that say what a run reads. */
import { refuseName, type StartRequest } from "@firehose-backfill/backfill/control-event";
import { parseEndPoint, parseStartPoint } from "@firehose-backfill/backfill/parse-range";
import { definitionOf } from "@firehose-backfill/core/config/definitions";
import { UsageError } from "@firehose-backfill/core/errors";
import type { Args, OptionSpec } from "./command.ts";
import type { CliContext } from "./context.ts";
import type { ControlEvent } from "./control-target.ts";

export const SCOPE_OPTIONS = {
  source: {
    takes: "KIND",
    help: "relay, repos (the accounts' own repositories, with all that they hold), both, or handles (of the accounts in the database).",
  },
  days: { takes: "N", help: "How many days back to begin, by event time; -1: at the oldest event the relay keeps." },
  from: { takes: "SEQ|TIME|oldest|live", help: "Where to begin, instead of --days." },
  to: { takes: "SEQ|TIME", help: "Where to end, instead of now." },
  profile: { takes: "NAME", help: "background, moderate or fast." },
  collections: { takes: "LIST", help: "Collections, separated by commas, or @FILE." },
  dids: { takes: "LIST", help: "DIDs, separated by commas, or @FILE." },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** @throws UsageError */
export function startRequest(context: CliContext, args: Args, command: string): StartRequest {
  const texts = {
    source: args.text("source"),
    days: args.text("days"),
    from: args.text("from"),
    to: args.text("to"),
    profile: args.text("profile"),
    ...(command === "start" ? { name: args.text("name"), run: args.text("run") } : {}),
  };
  if (texts.name !== undefined) refuseName(texts.name);
  if (texts.days !== undefined && texts.from !== undefined) {
    throw new UsageError(`${command}: --days and --from both say where to begin: give one of them`);
  }
  const { kind } = definitionOf("source");
  if (texts.source !== undefined && "problem" in kind.parse(texts.source, { readFile: null }))
    throw new UsageError(`${command}: --source is ${kind.showHeld(texts.source)}; it takes ${kind.takes}`);
  // Checked here before anything is sent, because a wrong value is a usage error.
  if (texts.from !== undefined) parseStartPoint(texts.from);
  if (texts.to !== undefined) parseEndPoint(texts.to);
  const lists = {
    collections: listOf(context, args, "collections", command),
    dids: listOf(context, args, "dids", command),
  };
  return { ...given(texts), ...given(lists), isNew: args.flag("new"), isDryRun: args.flag("dry-run") };
}

/** The file is read here: a process elsewhere cannot see it, and a control event must not name files. */
export function listOf(
  context: CliContext,
  args: Args,
  name: "collections" | "dids",
  command: string,
): readonly string[] | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const { kind } = definitionOf(name);
  const parsed = kind.parse(text, { readFile: context.readFile });
  if ("value" in parsed) return parsed.value;
  const detail = parsed.problem === "" ? "" : ` (${parsed.problem})`;
  throw new UsageError(`${command}: --${name} is ${kind.showHeld(text)}${detail}; it takes ${kind.takes}`);
}

/** Builds the control event; flags that are not set are left out. */
export function startEvent(action: "start" | "plan", { isNew, isDryRun, ...request }: StartRequest): ControlEvent {
  return { action, ...request, ...(isNew ? { new: true } : {}), ...(isDryRun ? { dryRun: true } : {}) };
}

/** Without the keys that were not given. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same keys, without those that hold undefined
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
