/** What a command is: its words for the help, its options, and what it does. Help is made from the same table as parsing. */
import type { CliContext } from "./context.ts";

export interface OptionSpec {
  /** Left out: a flag. Else what it takes, for the help: `N`, `SEQ|TIME`. */
  readonly takes?: string;
  readonly help: string;
}

export interface Command {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** For its own help: what it does, in a few sentences. */
  readonly details?: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** What may stand there without dashes; left out: nothing. */
  readonly operands?: { readonly name: string; readonly help: string };
  readonly examples: readonly { readonly line: string; readonly does: string }[];
  /** Resolves with the exit code. @throws UsageError, ConfigError, CommandError */
  run(context: CliContext, args: Args): Promise<number>;
}

/** Parsed arguments. Only names of the command's own options are asked for. */
export interface Args {
  flag(name: string): boolean;
  /** undefined: not given. Trimmed, never empty. */
  text(name: string): string | undefined;
  readonly operands: readonly string[];
}
