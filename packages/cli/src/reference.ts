/** The parts of the documentation that come from the code: every command's help, and the table of settings. */
import { SETTINGS } from "@firehose-backfill/core/config/definitions";
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

/** The table of docs/configuration.md. */
export function settingsReference(): string {
  const rows = SETTINGS.map(({ name, fallback, fallbackText, kind, help }) =>
    row([`\`${name}\``, fallbackText ?? (typeof fallback === "object" ? "none" : String(fallback)), kind.takes, help]),
  );
  return [row(["name", "default", "takes", "meaning"]), "|---|---|---|---|", ...rows].join("\n");
}

/** The page with the section "Every setting" replaced by the current table. */
export function withSettings(page: string): string {
  return page.replace(/(?<=\n## Every setting\n\n)(?:\|.*\n)*/, () => `${settingsReference()}\n`);
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function fenced(text: string): readonly string[] {
  return ["```text", text.trimEnd(), "```"];
}
