/** `doctor`: checks everything that a run depends on, and says what to do about each problem. */
import type { Check } from "@firehose-backfill/server/doctor/check";
import { ConfigError } from "@firehose-backfill/core/errors";
import type { Config } from "@firehose-backfill/core/config/settings";
import { type Ink, terminalLine } from "@firehose-backfill/status/terminal";
import { wantsColor } from "../color.ts";
import type { Command } from "../command.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { loadConfig } from "../load-config.ts";
import { listenForStop } from "../stop-signals.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "Check Node, relay, database, clock, disk, queue and table, and say what to do.",
  details: "Without --fix and --indexes it changes nothing. The exit code is 1 if a line says fail.",
  noRun: "it checks what all runs depend on. For one run: status --run",
  options: {
    fix: { help: "Create or migrate the schema and its indexes, and remove tombstones older than 30 days." },
    indexes: {
      takes: "SETS",
      help: "Create optional indexes, comma-separated: uri, likes, threads, accounts, handles, timeline, search, changes (docs/views.md).",
    },
    json: { help: "One line of JSON." },
  },
  examples: [
    { line: "doctor", does: "Before the first run, and whenever something looks wrong." },
    {
      line: "doctor --indexes likes,threads",
      does: "Index what queries on likes and threads need; runs go on meanwhile.",
    },
    { line: "doctor --json | jq '.[] | select(.verdict != \"ok\")'", does: "For scripts." },
  ],
  run: async (context, args) => {
    const checks = await examineAll(context, args.flag("fix"), listOf(args.text("indexes")));
    if (args.flag("json")) context.stdout.write(`${JSON.stringify(checks)}\n`);
    else for (const line of render(context, checks)) context.stdout.write(`${line}\n`);
    return checks.some(({ verdict }) => verdict === "fail") ? EXIT.error : EXIT.ok;
  },
};

function listOf(text = ""): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** If the configuration is invalid, that is the only finding: nothing else can be checked. */
async function examineAll(context: CliContext, fix: boolean, indexes: readonly string[]): Promise<readonly Check[]> {
  let config: Config;
  try {
    ({ config } = loadConfig(context));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const advice = "correct it in the environment or in .env, then run doctor again";
    return error.problems.map((finding) => ({ name: "configuration", verdict: "fail", finding, advice }));
  }
  using signals = listenForStop(context, () => {});
  const { examine } = await context.loadDoctor();
  const { clock, fetch } = context;
  return await examine({ config, fix, indexes, clock, fetch, process: context.machine(), signal: signals.stop });
}

const INKS: Readonly<Record<Check["verdict"], Ink>> = { ok: "green", warn: "yellow", fail: "red" };

function render(context: CliContext, checks: readonly Check[]): readonly string[] {
  const { stdout } = context;
  const options = { width: Number.POSITIVE_INFINITY, color: wantsColor(context, stdout) };
  const nameWidth = Math.max(...checks.map(({ name }) => name.length));
  return checks.flatMap(({ name, verdict, finding, advice }) => [
    terminalLine([{ text: verdict.padEnd(6), ink: INKS[verdict] }, `${name.padEnd(nameWidth)}  ${finding}`], options),
    ...(advice === null ? [] : [terminalLine([" ".repeat(nameWidth + 8), { text: advice, ink: "dim" }], options)]),
  ]);
}
