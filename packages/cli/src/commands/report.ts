/** `report`: one HTML document about a run: its result, its history, and the time of the snapshot. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeError } from "@firehose-backfill/core/errors";
import { renderReport } from "@firehose-backfill/status/render-report";
import type { History } from "@firehose-backfill/status/history";
import { historyFileOf, readHistory } from "@firehose-backfill/server/state-files";
import type { Command } from "../command.ts";
import { CommandError } from "../errors.ts";
import { EXIT } from "../exit-code.ts";
import { findTarget, lastSnapshot, RUN_OPTION, TARGET_OPTIONS } from "../find-target.ts";
import { loadConfig } from "../load-config.ts";

export const report: Command = {
  name: "report",
  summary: "Write a report of the run with plots, as one HTML document.",
  details:
    "It works with and without a running process, because the last status is in the data folder. It prints where the\ndocument is.",
  options: {
    out: {
      takes: "FILE",
      help: "Where to write it; - for standard output. Default: a file in the data folder; for a deployed run, in the current folder.",
    },
    ...RUN_OPTION,
    ...TARGET_OPTIONS,
  },
  examples: [
    { line: "report", does: "report-RUN.html in the data folder." },
    { line: "report --out - > night.html", does: "To standard output." },
    {
      line: "report --function firehose-backfill-production-control",
      does: "The report of a deployed run, in the current folder.",
    },
  ],
  run: async (context, args) => {
    const { dataDir } = loadConfig(context).config.settings;
    const target = await findTarget(context, args);
    const snapshot =
      target === null ? await lastSnapshot(context, args.text("run")) : await target.snapshot(args.text("run"));
    if (snapshot === null || snapshot.runId === null)
      throw new CommandError(
        `there is nothing to report: no run has been started on ${target?.address ?? dataDir} yet`,
      );
    const isHere = args.text("function") === undefined;
    const history =
      target === null ? await historyHere(dataDir, snapshot.runId) : await target.history(args.text("run"));
    const page = renderReport(snapshot, history);
    const out = args.text("out") ?? join(isHere ? dataDir : "", `report-${snapshot.runId}.html`);
    if (out === "-") context.stdout.write(page);
    else {
      await save(out, page);
      context.stdout.write(`${out}\n`);
    }
    return EXIT.ok;
  },
};

/** The file of the run that was shown last has the name that it always had. */
async function historyHere(dataDir: string, runId: string): Promise<History | null> {
  const last = await readHistory(dataDir);
  return last?.runId === runId ? last : ((await readHistory(dataDir, historyFileOf(runId))) ?? last);
}

async function save(path: string, page: string): Promise<void> {
  try {
    await writeFile(path, page, { mode: 0o600 });
  } catch (error) {
    throw new CommandError(`the report cannot be written: ${describeError(error)}`);
  }
}
