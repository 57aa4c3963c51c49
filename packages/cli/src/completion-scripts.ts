/** Builds the scripts with which a shell completes commands and options, from the table of commands. Pure. */
import type { Command } from "./command.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

const PROGRAM = "firehose-backfill";

export function completionScript(shell: Shell, commands: readonly Command[]): string {
  switch (shell) {
    case "bash":
      return bash(commands);
    case "zsh":
      return zsh(commands);
    case "fish":
      return fish(commands);
    default: {
      const unreachable: never = shell;
      return unreachable;
    }
  }
}

function optionsOf({ options }: Command): readonly string[] {
  return [...Object.keys(options), "help"];
}

/** Words that may follow a command, in addition to its options. */
function wordsOf({ operands }: Command): readonly string[] {
  return operands?.words ?? [];
}

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const words = [...wordsOf(command), ...optionsOf(command).map((option) => `--${option}`)];
    return `    ${command.name}) words="${words.join(" ")}" ;;`;
  });
  return `_firehose_backfill() {
  local current=\${COMP_WORDS[COMP_CWORD]} words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${commands.map(({ name }) => name).join(" ")}"
  else
    case \${COMP_WORDS[1]} in
${cases.map((line) => `  ${line}`).join("\n")}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _firehose_backfill ${PROGRAM}
`;
}

function zsh(commands: readonly Command[]): string {
  const list = commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`);
  const cases = commands.map((command) => {
    const options = Object.entries(command.options).map(([name, { help, takes }]) =>
      quote(`--${name}[${bracketed(help)}]${takes === undefined ? "" : `:${colonless(takes)}: `}`),
    );
    const words = wordsOf(command);
    const operands = words.length === 0 ? [] : [quote(`*:${command.operands?.name ?? ""}:(${words.join(" ")})`)];
    return `    ${command.name}) _arguments ${[...options, quote("--help[Show the options]"), ...operands].join(" ")} ;;`;
  });
  return `#compdef ${PROGRAM}
_firehose_backfill() {
  local -a commands=(
${list.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = "_firehose_backfill" ]; then
  _firehose_backfill "$@"
else
  compdef _firehose_backfill ${PROGRAM}
fi
`;
}

function fish(commands: readonly Command[]): string {
  const lines = [`complete -c ${PROGRAM} -f`];
  for (const { name, summary } of commands)
    lines.push(`complete -c ${PROGRAM} -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`);
  for (const command of commands) {
    const seen = `complete -c ${PROGRAM} -n '__fish_seen_subcommand_from ${command.name}'`;
    for (const [name, { help, takes }] of Object.entries(command.options))
      lines.push(`${seen} -l ${name}${takes === undefined ? "" : " -x"} -d ${quote(help)}`);
    lines.push(`${seen} -l help -d 'Show the options'`);
    const words = wordsOf(command);
    if (words.length > 0) lines.push(`${seen} -a ${quote(words.join(" "))}`);
  }
  return `${lines.join("\n")}\n`;
}

/** In single quotes, for each of the three shells. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function bracketed(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, String.raw`\$&`);
}

function colonless(text: string): string {
  return text.replaceAll(":", " ");
}
