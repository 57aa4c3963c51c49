/**
 * Parses the shell blocks of the documentation: lines, quotes, comments, assignments, pipes, and no more of the shell's
 * syntax than occurs there. A block that no test can run has a line `<!-- not run: WHY -->` above it.
 */
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface ShellBlock {
  /** `docs/how-to.md:24`. */
  readonly at: string;
  /** null: a test runs it. */
  readonly notRun: string | null;
  readonly commands: readonly ShellCommand[];
}

export interface ShellCommand {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export function documents(): readonly { readonly path: string; readonly text: string }[] {
  const paths = ["*.md", "docs/*.md", "docs/decisions/*.md"].flatMap((pattern) => globSync(pattern, { cwd: ROOT }));
  return paths.toSorted().map((path) => ({ path, text: readFileSync(`${ROOT}${path}`, "utf8") }));
}

const BLOCK = /(?:<!-- not run: ([^\n]+?) -->\n+)?^ *```(\w*)\n(.*?)^ *```$/gms;
const SCHEDULE = /^(?:[\d*/,-]+ +){5}/gm;

/** Blocks marked `sh`, and blocks without a language that call programs: a crontab. */
export function shellBlocks(): readonly ShellBlock[] {
  return documents().flatMap(({ path, text }) =>
    [...text.matchAll(BLOCK)]
      .filter(([, , language, body = ""]) => language === "sh" || (language === "" && /\b(?:npx|aws) /.test(body)))
      .map(({ 0: whole, 1: notRun = null, 3: body = "", index }) => ({
        at: `${path}:${text.slice(0, index + whole.indexOf("```")).split("\n").length}`,
        notRun,
        commands: shellCommands(body.replaceAll(SCHEDULE, "")),
      })),
  );
}

/** Commands of the program or npm in backticks within prose. */
export function inlineCommands(): readonly { readonly at: string; readonly command: ShellCommand }[] {
  return documents().flatMap(({ path, text }) =>
    text
      .replaceAll(/^ *```.*?^ *```$/gms, (block) => block.replaceAll(/[^\n]/g, ""))
      .split("\n")
      .flatMap((line, index) =>
        [...line.matchAll(/`((?:[A-Z_]+=\S+ )*(?:npx |npm |firehose-backfill )[^`]+)`/g)].flatMap(([, code = ""]) =>
          shellCommands(code).map((command) => ({ at: `${path}:${index + 1}`, command })),
        ),
      ),
  );
}

const TOKEN = /[^\S\n]*(?:(#[^\n]*)|(&&|\|\||[|;\n>])|((?:"[^"]*"|'[^']*'|\$\([^)]*\)|\\.|[^\s"'|;&>\\])+))/gsy;
const ASSIGNMENT = /^([A-Za-z_]+)=(.*)$/s;

export function shellCommands(text: string): readonly ShellCommand[] {
  const commands: ShellCommand[] = [];
  let words: string[] = [];
  let env: Record<string, string> = {};
  const end = () => {
    if (words.length > 0 || Object.keys(env).length > 0) commands.push({ words, env });
    words = [];
    env = {};
  };
  let intoFile = false;
  for (const [, comment, operator, word] of text
    .replaceAll(/\\\n */g, " ")
    .replaceAll(/\s2>&1(?!\S)/g, "")
    .matchAll(TOKEN)) {
    if (comment !== undefined) continue;
    if (operator === ">") intoFile = true;
    else if (operator !== undefined) end();
    else if (intoFile) intoFile = false;
    else if (word !== undefined) {
      const plain = word.replaceAll(
        /"([^"]*)"|'([^']*)'/g,
        (_, double?: string, single?: string) => double ?? single ?? "",
      );
      const [, name, value = ""] = ASSIGNMENT.exec(plain) ?? [];
      const isAssigned = name !== undefined && (words.length === 0 || words[0] === "export");
      if (isAssigned) env[name] = value;
      else words.push(plain);
    }
  }
  end();
  return commands;
}
