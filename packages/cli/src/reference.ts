/** docs/cli.md: every command's help, as `--help` prints it, from the same tables. */
import type { Command } from "./command.ts";
import { commandHelp, overviewHelp } from "./help.ts";

export function cliReference(commands: readonly Command[]): string {
  return [
    "# Command line",
    "",
    "What `firehose-backfill --help` and `firehose-backfill COMMAND --help` print. Written by `npm run docs`; a test compares it.",
    "",
    ...fenced(overviewHelp(commands)),
    ...commands.flatMap((command) => ["", `## ${command.name}`, "", ...fenced(commandHelp(command))]),
    "",
  ].join("\n");
}

function fenced(text: string): readonly string[] {
  return ["```text", text.trimEnd(), "```"];
}
