/** The `firehose-backfill` command: finds the command, and turns any error into one message and an exit code. */
import { UsageError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { VERSION } from "@firehose-backfill/core/version";
import type { Command } from "./command.ts";
import { audit } from "./commands/audit.ts";
import { cancel } from "./commands/cancel.ts";
import { completionOf } from "./commands/completion.ts";
import { dead } from "./commands/dead.ts";
import { discard } from "./commands/discard.ts";
import { doctor } from "./commands/doctor.ts";
import { events } from "./commands/events.ts";
import { log } from "./commands/log.ts";
import { page } from "./commands/page.ts";
import { pause } from "./commands/pause.ts";
import { plan } from "./commands/plan.ts";
import { redrive } from "./commands/redrive.ts";
import { report } from "./commands/report.ts";
import { resync } from "./commands/resync.ts";
import { resyncs } from "./commands/resyncs.ts";
import { resume } from "./commands/resume.ts";
import { run } from "./commands/run.ts";
import { runs } from "./commands/runs.ts";
import { start } from "./commands/start.ts";
import { status } from "./commands/status.ts";
import { stop } from "./commands/stop.ts";
import { tick } from "./commands/tick.ts";
import { tune } from "./commands/tune.ts";
import type { CliContext } from "./context.ts";
import { failureOf } from "./errors.ts";
import { EXIT } from "./exit-code.ts";
import { commandHelp, overviewHelp } from "./help.ts";
import { parseArgs } from "./parse-args.ts";
import { suggestion } from "./suggest.ts";

/** In the order in which a run needs them. A new command is one file and one line here. */
const ALL_BUT_COMPLETION: readonly Command[] = [
  doctor,
  plan,
  run,
  start,
  status,
  runs,
  events,
  report,
  log,
  page,
  pause,
  resume,
  cancel,
  stop,
  tune,
  tick,
  dead,
  redrive,
  discard,
  audit,
  resync,
  resyncs,
];
export const COMMANDS: readonly Command[] = [...ALL_BUT_COMPLETION, completionOf(ALL_BUT_COMPLETION)];

/** Resolves with the exit code; never rejects. */
export async function main(context: CliContext): Promise<number> {
  try {
    return await dispatch(context);
  } catch (error) {
    const { lines, exitCode } = failureOf(error);
    for (const line of lines) context.stderr.write(`${line}\n`);
    return exitCode;
  }
}

async function dispatch(context: CliContext): Promise<number> {
  const [name, ...rest] = context.argv;
  if (name === undefined) {
    context.stderr.write(overviewHelp(COMMANDS));
    return EXIT.usage;
  }
  if (isHelp(name) || name === "help") {
    const about = rest.find((word) => !isHelp(word));
    context.stdout.write(about === undefined ? overviewHelp(COMMANDS) : commandHelp(find(about)));
    return EXIT.ok;
  }
  if (name === "--version" || name === "-v") {
    context.stdout.write(`${VERSION}\n`);
    return EXIT.ok;
  }
  const command = find(name);
  if (rest.some(isHelp)) {
    context.stdout.write(commandHelp(command));
    return EXIT.ok;
  }
  return command.run(context, parseArgs(command, rest));
}

function isHelp(word: string): boolean {
  return word === "--help" || word === "-h";
}

/** @throws UsageError */
function find(name: string): Command {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const meant = suggestion(
    name,
    COMMANDS.map((known) => known.name),
  );
  throw new UsageError(`there is no command ${escapeForLog(name, 80)}.${meant}\nSee: firehose-backfill --help`);
}
