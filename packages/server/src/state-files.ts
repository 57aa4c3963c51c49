/** The files that a local process leaves in its data folder for later commands: the last snapshot and the run's history. */
import { randomUUID } from "node:crypto";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type History, parseHistory } from "@firehose-backfill/status/history";

export const SNAPSHOT_FILE = "snapshot.json";
export const HISTORY_FILE = "history.json";
/** Every open run, as an array of snapshots. */
export const RUNS_FILE = "runs.json";

/** The runs that are over, as an array of summaries. */
export const PAST_FILE = "past.json";

/** The last snapshot of the last run with this name. */
export function snapshotFileOf(name: string): string {
  return `snapshot-${name}.json`;
}

/** The history of a run that is not the one of HISTORY_FILE. */
export function historyFileOf(runId: string): string {
  return `history-${runId}.json`;
}

/** The file is renamed into place, so that a reader sees either the complete new file or the old one. */
export async function writeStateFile(dataDir: string, name: string, text: string): Promise<void> {
  const draft = join(dataDir, `.${name}.${randomUUID()}`);
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, join(dataDir, name));
}

const OF_RUN = /^history-(.+)\.json$/;
const OF_NAME = /^snapshot-(.+)\.json$/;

/** Removes the files of runs and names that are not among these; the folder does not grow with the number of runs. */
export async function removeOldStateFiles(
  dataDir: string,
  runs: readonly { readonly runId: string | null; readonly name: string | null }[],
): Promise<void> {
  const ids = new Set(runs.map(({ runId }) => runId));
  const names = new Set(runs.map(({ name }) => name));
  // If the folder does not exist, there are no old files. The next write reports that it is missing.
  for (const file of await readdir(dataDir).catch(() => [])) {
    const [id, name] = [OF_RUN.exec(file)?.[1], OF_NAME.exec(file)?.[1]];
    const isOld = (id !== undefined && !ids.has(id)) || (name !== undefined && !names.has(name));
    if (isOld) await rm(join(dataDir, file), { force: true });
  }
}

/** null: there is none, or it cannot be read. It is only for people, so this is no reason to refuse a start. */
export async function readStateFile(dataDir: string, name: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(join(dataDir, name), "utf8"));
  } catch {
    return null;
  }
}

/** null: there is none, or it cannot be read. */
export async function readHistory(dataDir: string, name: string = HISTORY_FILE): Promise<History | null> {
  return parseHistory(await readStateFile(dataDir, name));
}
