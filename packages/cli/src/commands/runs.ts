/** `runs`: the open and the past runs, newest first. */
import { parseSummaries, type RunSummary, summaries } from "@firehose-backfill/status/run-summary";
import { renderSummariesText } from "@firehose-backfill/status/render-runs-text";
import { PAST_FILE, readStateFile } from "@firehose-backfill/server/state-files";
import { wantsColor } from "../color.ts";
import type { Args, Command } from "../command.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { findTarget, lastSnapshots, TARGET_OPTIONS } from "../find-target.ts";
import { loadConfig } from "../load-config.ts";

export const runs: Command = {
  name: "runs",
  summary: "List the open and the past runs, newest first.",
  details: "The last 50 past runs are shown. If no process is running, it lists what the last one knew.",
  options: { json: { help: "One array of JSON." }, ...TARGET_OPTIONS },
  examples: [
    { line: "runs", does: "Two lines a run." },
    { line: "runs --json | jq -r '.[] | select(.dead > 0) | .runId'", does: "The runs that have dead events." },
  ],
  run: async (context, args) => {
    const listed = await list(context, args);
    if (args.flag("json")) context.stdout.write(`${JSON.stringify(listed)}\n`);
    else {
      const { stdout } = context;
      const width = stdout.isTerminal ? stdout.columns() : Number.POSITIVE_INFINITY;
      const lines = renderSummariesText(listed, { width, color: wantsColor(context, stdout) });
      stdout.write(`${lines.join("\n")}\n`);
    }
    return EXIT.ok;
  },
};

async function list(context: CliContext, args: Args): Promise<readonly RunSummary[]> {
  const target = await findTarget(context, args);
  if (target !== null) {
    const [open, past] = await Promise.all([target.snapshots(), target.past()]);
    return summaries(open, past);
  }
  const { dataDir } = loadConfig(context).config.settings;
  const past = parseSummaries(await readStateFile(dataDir, PAST_FILE)) ?? [];
  return summaries(await lastSnapshots(context), past);
}
