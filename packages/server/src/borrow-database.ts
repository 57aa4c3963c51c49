/**
 * The database for a command that is not a run: the one of the settings, the embedded one of a running process, or the embedded
 * one of the data folder, which is started for the command and stopped after it.
 */
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Settings } from "@firehose-backfill/core/config/settings";
import { claimDataDir, findServer } from "@firehose-backfill/embedded/data-dir";
import { findPostgresUrl } from "@firehose-backfill/embedded/postgres-address";
import { startEmbedded } from "@firehose-backfill/embedded/stack";
import { NoDatabaseError } from "./event-feed.ts";

export interface BorrowedDatabase extends AsyncDisposable {
  readonly databaseUrl: string;
}

/** @throws NoDatabaseError, AlreadyRunningError, DataDirError, StandInError */
export async function borrowDatabase(
  { databaseUrl, dataDir }: Pick<Settings, "databaseUrl" | "dataDir">,
  signal: AbortSignal,
): Promise<BorrowedDatabase> {
  const found = databaseUrl ?? ((await findServer(dataDir)) === null ? null : await findPostgresUrl(dataDir));
  if (found !== null) return { databaseUrl: found, async [Symbol.asyncDispose]() {} };
  if (!(await isThere(join(resolve(dataDir), "postgres", "data"))))
    throw new NoDatabaseError(
      `there is no database in ${dataDir}, so nothing was applied there: set DATABASE_URL or BACKFILL_DATA_DIR`,
    );
  const stack = new AsyncDisposableStack();
  try {
    const claim = stack.use(await claimDataDir(dataDir));
    const need = { queue: false, table: false, postgres: true, relay: false };
    const embedded = stack.use(await startEmbedded({ dataDir: claim.dataDir, need, signal }));
    return {
      databaseUrl: embedded.postgres?.databaseUrl ?? "",
      [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
    };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
