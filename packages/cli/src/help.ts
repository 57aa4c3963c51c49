/** The help text, made from the commands' own tables, so that `docs/` and `--help` agree with what is parsed. */
import type { Command } from "./command.ts";

const PROGRAM = "firehose-backfill";

export function overviewHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    "A background backfill of the AT Protocol firehose into Postgres.",
    "",
    `Usage: ${PROGRAM} COMMAND [options]`,
    "",
    "Commands:",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    `${PROGRAM} COMMAND --help shows the options of a command, with examples. Settings come from the environment and from .env.`,
    "Exit codes: 0 done, 1 error, 2 usage or configuration, 3 done with dead events or differences, 130 and 143 after a signal.",
    "",
  ].join("\n");
}

export function commandHelp(command: Command): string {
  const options = [
    ...Object.entries(command.options).map(([name, spec]) => [
      `--${name}${spec.takes === undefined ? "" : ` ${spec.takes}`}`,
      spec.help,
    ]),
    ["--help", "This text."],
  ];
  const operands = command.operands === undefined ? [] : [[command.operands.name, command.operands.help]];
  const usage = [PROGRAM, command.name, ...operands.map(([name]) => name), "[options]"].join(" ");
  return [
    command.summary,
    ...(command.details === undefined ? [] : ["", command.details]),
    "",
    `Usage: ${usage}`,
    ...(operands.length === 0 ? [] : ["", ...columns(operands)]),
    "",
    "Options:",
    ...columns(options),
    "",
    "Examples:",
    ...command.examples.flatMap(({ line, does }) => [`  ${PROGRAM} ${line}`, `      ${does}`]),
    "",
  ].join("\n");
}

function columns(rows: readonly (readonly (string | undefined)[])[]): readonly string[] {
  const width = Math.max(...rows.map(([left = ""]) => left.length));
  return rows.map(([left = "", right = ""]) => `  ${left.padEnd(width)}  ${right}`);
}
