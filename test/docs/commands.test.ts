/**
 * Every command that the documentation tells a reader to type is understood by the program as it is: commands, options,
 * settings and their values, npm scripts, benchmarks. test/page/desk.test.ts runs those that no mark excuses.
 */
import { existsSync, readFileSync } from "node:fs";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { parseTune } from "@firehose-backfill/core/config/tune";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../packages/cli/src/main.ts";
import { parseArgs } from "../../packages/cli/src/parse-args.ts";
import { cliReference, settingsReference, withSettings } from "../../packages/cli/src/reference.ts";
import {
  documents,
  inlineCommands,
  ROOT,
  shellBlocks,
  type ShellCommand,
  shellCommands,
} from "../support/shell-blocks.ts";

const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
/** Programs that a block may call without a mark: the test that runs it leaves them out. */
const BESIDE = new Set(["cd", "export", "jq"]);
const REASONS = new Set([
  "needs an AWS account",
  "needs the network",
  "needs psql",
  "needs a run before it",
  "needs a restored database",
  "needs a token",
  "needs dead events",
]);

/** What is wrong with it; null: nothing. */
function problemOf({ words, env }: ShellCommand): string | null {
  const [name = "", ...rest] = words[0] === "npx" ? words.slice(1) : words;
  try {
    parseConfig(Object.fromEntries(Object.entries(env).filter(([key]) => isSetting(key))));
    if (name === "firehose-backfill") return checkProgram(rest);
    if (name === "npm") return checkNpm(rest);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function isSetting(name: string): boolean {
  return /^(BACKFILL_|RELAY_URL|DATABASE_URL|MEMORY_CHECK|PORT$)/.test(name);
}

function checkProgram([name, ...argv]: readonly string[]): string | null {
  if (name === undefined || name === "COMMAND" || name.startsWith("--") || argv.includes("…")) return null;
  const command = COMMANDS.find((known) => known.name === name);
  if (command === undefined) return `there is no command ${name}`;
  const args = parseArgs(command, argv);
  if (name === "tune") parseTune(Object.fromEntries(args.operands.map((pair) => pair.split("=", 2))));
  return null;
}

function checkNpm([verb = "", ...rest]: readonly string[]): string | null {
  const script = verb === "run" ? (rest[0] ?? "") : verb;
  if (verb === "ci" || verb === "install") return null;
  if (scripts[script] === undefined) return `package.json has no script ${script}`;
  const [argument] = rest.slice(rest.indexOf("--") + 1);
  if (!rest.includes("--") || argument === undefined || argument === "NAME") return null;
  if (argument.startsWith("--")) return checkOption(script, argument);
  const file = script === "bench" ? `bench/${argument}.ts` : argument;
  return existsSync(`${ROOT}${file}`) ? null : `there is no ${file}`;
}

/** An option goes to the file that the script runs, which has to read it. */
function checkOption(script: string, option: string): string | null {
  const [, file = ""] = /^node (\S+)/.exec(scripts[script] ?? "") ?? [];
  const reads =
    file !== "" && new RegExp(`\\b${option.slice(2)}\\b.*type:`).test(readFileSync(`${ROOT}${file}`, "utf8"));
  return reads ? null : `${script} has no ${option}`;
}

const blocks = shellBlocks();

describe("a shell block", () => {
  it("is found at all", () => {
    expect(blocks.length).toBeGreaterThan(15);
    expect(blocks.flatMap(({ commands }) => commands).length).toBeGreaterThan(40);
  });

  it.each(blocks.map((block) => [block.at, block] as const))("%s is understood", (_, { commands, notRun }) => {
    expect(commands).not.toEqual([]);
    expect(commands.map(problemOf).filter((problem) => problem !== null)).toEqual([]);
    const programs = commands.flatMap(({ words }) => (words[0] === "npx" ? words.slice(1, 2) : words.slice(0, 1)));
    const strangers = programs.filter((name) => !["firehose-backfill", "npm"].includes(name) && !BESIDE.has(name));
    // A block that calls other programs says why no test runs it, in words that are known.
    const excuse = notRun === null ? { strangers, isKnown: true } : { strangers: [], isKnown: REASONS.has(notRun) };
    expect(excuse).toEqual({ strangers: [], isKnown: true });
  });
});

it("what is called in a line of prose is understood", () => {
  const calls = inlineCommands();
  expect(calls.length).toBeGreaterThan(30);
  const problems = calls.map(({ at, command }) => ({ at, problem: problemOf(command) }));
  expect(problems.filter(({ problem }) => problem !== null)).toEqual([]);
});

it("a command of the help's own examples is understood", () => {
  const examples = COMMANDS.flatMap(({ examples: lines }) => lines.map(({ line }) => line));
  const problems = examples.map((line) =>
    problemOf({ words: ["firehose-backfill", ...(shellCommands(line)[0]?.words ?? [])], env: {} }),
  );
  expect(problems.filter((problem) => problem !== null)).toEqual([]);
  for (const { name, examples: own } of COMMANDS) {
    expect({ name, isShown: own.length > 0 }).toEqual({ name, isShown: true });
    for (const { line } of own) expect(line.split(" ")[0]).toBe(name);
  }
});

it("docs/cli.md is what --help prints: npm run docs writes it", () => {
  expect(readFileSync(`${ROOT}docs/cli.md`, "utf8")).toBe(cliReference(COMMANDS));
});

it("the table of settings is what the code says: npm run docs writes it", () => {
  const page = readFileSync(`${ROOT}docs/configuration.md`, "utf8");
  expect(page).toContain(`\n${settingsReference()}\n`);
  expect(withSettings(page)).toBe(page);
});

it("the README names every command", () => {
  const readme = documents().find(({ path }) => path === "README.md")?.text ?? "";
  const [, list = ""] = /## Commands\n(.*?)\n## /s.exec(readme) ?? [];
  expect(COMMANDS.map(({ name }) => name).filter((name) => !new RegExp(`\`${name}[ \`]`).test(list))).toEqual([]);
});

describe("shellCommands", () => {
  it.each<[string, readonly ShellCommand[]]>([
    [
      "npm ci && npm start   # both",
      [
        { words: ["npm", "ci"], env: {} },
        { words: ["npm", "start"], env: {} },
      ],
    ],
    ["A=1 B='x y' npm \\\n  start", [{ words: ["npm", "start"], env: { A: "1", B: "x y" } }]],
    [
      'export A=1\nb --c=2 > out.txt | d "e|f"',
      [
        { words: ["export"], env: { A: "1" } },
        { words: ["b", "--c=2"], env: {} },
        { words: ["d", "e|f"], env: {} },
      ],
    ],
    ["a --b >c.txt 2>&1 || d", ["a --b", "d"].map((line) => ({ words: line.split(" "), env: {} }))],
    ['P=$(cat a b) psql -p "$(sed -n 4p c)"', [{ words: ["psql", "-p", "$(sed -n 4p c)"], env: { P: "$(cat a b)" } }]],
  ])("%j", (text, commands) => {
    expect(shellCommands(text)).toEqual(commands);
  });
});
