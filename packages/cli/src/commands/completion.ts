/** `completion`: prints a script with which the shell completes commands and options. */
import { UsageError } from "@firehose-backfill/core/errors";
import type { Command } from "../command.ts";
import { completionScript, SHELLS } from "../completion-scripts.ts";
import { EXIT } from "../exit-code.ts";

/** `commands`: all other commands. */
export function completionOf(commands: readonly Command[]): Command {
  const command: Command = {
    name: "completion",
    summary: "Print a script for the completion of commands and options in your shell.",
    options: {},
    operands: { name: SHELLS.join("|"), help: "The shell.", words: SHELLS },
    examples: [
      { line: "completion bash > ~/.local/share/bash-completion/completions/firehose-backfill", does: "For bash." },
      { line: "completion zsh > ~/.zfunc/_firehose-backfill", does: "For zsh, if ~/.zfunc is in fpath." },
      { line: "completion fish > ~/.config/fish/completions/firehose-backfill.fish", does: "For fish." },
    ],
    run: (context, args) => {
      const [word] = args.operands;
      const shell = SHELLS.find((known) => known === word);
      if (shell === undefined || args.operands.length !== 1)
        return Promise.reject(
          new UsageError(`completion takes one of ${SHELLS.join(", ")}\nSee: firehose-backfill completion --help`),
        );
      context.stdout.write(completionScript(shell, [...commands, command]));
      return Promise.resolve(EXIT.ok);
    },
  };
  return command;
}
