/** What BACKFILL_SOURCE changes: what the run that is begun reads. */
import { newRun } from "@firehose-backfill/backfill/new-run";
import { configsOf } from "@firehose-backfill/backfill/repos-run";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { ALICE } from "@firehose-backfill/testing/repos/test-repo";

type Settings = Readonly<Record<string, string>>;

/** Kinds of the runs that a start begins. */
export async function observeRuns(settings: Settings): Promise<readonly string[]> {
  return configsOf(parseConfig(settings)).map(
    (config, index) => newRun(config, { runId: `run-${index}`, nowMs: 0 }).source.kind,
  );
}

/** Kind and start of the run that is begun. */
export async function observeSource(settings: Settings): Promise<readonly [string, string]> {
  const { source, start } = newRun(parseConfig({ BACKFILL_DIDS: ALICE, ...settings }), { runId: "run", nowMs: 0 });
  return [source.kind, start.kind];
}
