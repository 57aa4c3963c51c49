/** A separate Postgres for one benchmark, with our tables, in a temporary folder. It syncs to disk as in production. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { openSink } from "@firehose-backfill/sink-postgres/open-sink";

export interface ScratchPostgres extends AsyncDisposable {
  readonly databaseUrl: string;
  /** The pid of the server itself. */
  readonly pid: number;
}

export async function scratchPostgres(): Promise<ScratchPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), "firehose-backfill-bench-"));
  const postgres = await startPostgres({ dataDir });
  await openSink(postgres.databaseUrl).migrate();
  return {
    databaseUrl: postgres.databaseUrl,
    pid: postgres.pid,
    async [Symbol.asyncDispose]() {
      await postgres[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
