/** Parses arguments with a command's table of options, strictly; for an unknown option it suggests a similar one. */
import { parseArgs as parseNodeArgs } from "node:util";
import { UsageError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import type { Args, Command } from "./command.ts";
import { suggestion } from "./suggest.ts";

type Parsed = Pick<Command, "name" | "options" | "operands" | "noRun">;

/** @throws UsageError that says what is wrong and where the correct options are described. */
export function parseArgs(command: Parsed, argv: readonly string[]): Args {
  const { values, positionals } = parse(command, joinNegativeNumbers(argv));
  const [surplus] = command.operands === undefined ? positionals : [];
  if (surplus !== undefined) throw wrong(command, `does not take "${escapeForLog(surplus, 80)}"`);
  return {
    flag: (name) => values[name] === true,
    text: (name) => {
      const value = values[name];
      if (typeof value !== "string") return undefined;
      if (value.trim() === "")
        throw wrong(command, `--${name} is empty; it takes ${command.options[name]?.takes ?? ""}`);
      return value.trim();
    },
    operands: positionals,
  };
}

function parse(command: Parsed, args: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { takes }]) => [
      name,
      { type: takes === undefined ? ("boolean" as const) : ("string" as const) },
    ]),
  );
  const loose = parseNodeArgs({ args, options, strict: false, tokens: true, allowPositionals: true });
  for (const token of loose.tokens) {
    if (token.kind !== "option" || Object.hasOwn(options, token.name)) continue;
    if (token.name === "run" && command.noRun !== undefined) throw wrong(command, `takes no --run: ${command.noRun}`);
    const known = Object.keys(options);
    throw wrong(command, `does not know ${escapeForLog(token.rawName, 80)}.${suggestion(token.name, known, "--")}`);
  }
  try {
    return parseNodeArgs({ args, options, strict: true, allowPositionals: true });
  } catch (error) {
    throw wrong(command, firstSentence(error));
  }
}

/** `--days -1`: Node's parser would read the number as an option. */
function joinNegativeNumbers(argv: readonly string[]): string[] {
  const joined: string[] = [];
  for (const argument of argv) {
    const before = joined.at(-1);
    if (/^-\d+$/.test(argument) && before !== undefined && /^--[a-z-]+$/.test(before)) {
      joined[joined.length - 1] = `${before}=${argument}`;
    } else joined.push(argument);
  }
  return joined;
}

function firstSentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `: ${escapeForLog(message.split("\n", 1)[0] ?? "")}`;
}

function wrong(command: Parsed, what: string): UsageError {
  const separator = what.startsWith(":") ? "" : " ";
  return new UsageError(`${command.name}${separator}${what}\nSee: firehose-backfill ${command.name} --help`);
}
