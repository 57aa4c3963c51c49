/** `report`: one HTML document of a run, to keep: what it did, its course, and until when the copy is true. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeError } from "@firehose-backfill/core/errors";
import { renderReport } from "@firehose-backfill/status/render-report";
import { readHistory } from "@firehose-backfill/server/state-files";
import type { Command } from "../command.ts";
import { CommandError } from "../errors.ts";
import { EXIT } from "../exit-code.ts";
import { findTarget, lastSnapshot, TARGET_OPTIONS } from "../find-target.ts";
import { loadConfig } from "../load-config.ts";

export const report: Command = {
  name: "report",
  summary: "Write one HTML document of the run, with plots, to keep or to send.",
  details: "With a live process or without: what the last one knew is in the data folder. Says where the document is.",
  options: {
    out: {
      takes: "FILE",
      help: "Where to write it; - for standard output. Left out: a file in the data folder, or, of a deployed run, in this one.",
    },
    ...TARGET_OPTIONS,
  },
  examples: [
    { line: "report", does: "report-RUN.html in the data folder." },
    { line: "report --out - > night.html", does: "To standard output." },
    { line: "report --function firehose-backfill-production-control", does: "Of a deployed run, saved here." },
  ],
  run: async (context, args) => {
    const { dataDir } = loadConfig(context).config.settings;
    const target = await findTarget(context, args);
    const snapshot = target === null ? await lastSnapshot(context) : await target.snapshot();
    if (snapshot === null || snapshot.runId === null)
      throw new CommandError(`nothing has been run on ${target?.address ?? dataDir} yet: there is nothing to report`);
    const isHere = args.text("function") === undefined;
    const history = target === null ? await readHistory(dataDir) : await target.history();
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

async function save(path: string, page: string): Promise<void> {
  try {
    await writeFile(path, page, { mode: 0o600 });
  } catch (error) {
    throw new CommandError(`the report cannot be written: ${describeError(error)}`);
  }
}
