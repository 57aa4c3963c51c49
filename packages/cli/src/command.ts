/** What a command consists of: its help texts, its options and its code. Help and parsing use the same table. */
import type { CliContext } from "./context.ts";

export interface OptionSpec {
  /** Absent: a flag. Otherwise the form of its value, for the help: `N`, `SEQ|TIME`. */
  readonly takes?: string;
  readonly help: string;
}

export interface Command {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** For the command's own help: what it does, in a few sentences. */
  readonly details?: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Present: the command takes no `--run`; this says why, and what does. */
  readonly noRun?: string;
  /** Arguments without dashes; absent: none are allowed. */
  readonly operands?: {
    readonly name: string;
    readonly help: string;
    /** For the completion in a shell. Absent: they cannot be listed. */
    readonly words?: readonly string[];
  };
  readonly examples: readonly { readonly line: string; readonly does: string }[];
  /** Resolves with the exit code. @throws UsageError, ConfigError, CommandError */
  run(context: CliContext, args: Args): Promise<number>;
}

/** Parsed arguments. Ask only for names of the command's own options. */
export interface Args {
  flag(name: string): boolean;
  /** undefined: not given. Trimmed, never empty. */
  text(name: string): string | undefined;
  readonly operands: readonly string[];
}
