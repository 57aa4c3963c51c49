/**
 * The sink of a process for which nobody has prepared the database, such as a function: the first batch migrates the schema,
 * so that a run that the schedule began, or one that continues after an upgrade, finds its tables. An error in
 * the database's address appears when a batch is applied: it fails the run, and the operator is notified.
 */
import { otherDatabase } from "@firehose-backfill/core/database-identity";
import type { ApplyOptions, ConsumerSink } from "@firehose-backfill/sink/sink";
import { DatabaseUrlError } from "./database-url.ts";
import { readIdentity } from "./identity.ts";
import { migrate } from "./schema/migrate.ts";
import { NewerSchemaError } from "./schema/version.ts";
import { createSink, type PostgresSink, type SinkOptions } from "./sink.ts";
import { beforeTransaction, PostgresError } from "./sink-error.ts";

export function createSelfPreparingSink(options: SinkOptions): ConsumerSink {
  let opened: PostgresSink | null = null;
  let isMigrated = false;
  const open = () => (opened ??= createSink(options));

  /** Checked before anything is created there, because the secret may name another database by now. */
  const refuseOther = async (runId: string, { database = null }: ApplyOptions) => {
    if (database === null) return;
    const problem = otherDatabase(runId, database, await readIdentity(options));
    if (problem !== null) throw new PostgresError(problem, { kind: "broken" });
  };

  return {
    async apply(batch, rows, how) {
      try {
        const sink = open();
        if (!isMigrated) {
          await refuseOther(batch.runId, how);
          await migrate(options);
          isMigrated = true;
        }
        return await sink.apply(batch, rows, how);
      } catch (error) {
        if (error instanceof DatabaseUrlError)
          throw new PostgresError(error.message, { kind: "broken" }, { cause: error });
        // During an upgrade a newer consumer migrates while this one is still called: its batches wait for the newer one.
        if (error instanceof NewerSchemaError)
          throw new PostgresError(error.message, { kind: "service" }, { cause: error });
        throw isMigrated ? error : beforeTransaction(error);
      }
    },
    // Called before a batch is applied; without a throttle query, this call must not be the one that finds a wrong address.
    health: async () => (options.throttleQuery === null ? { kind: "healthy" } : open().health()),
    pool: () => opened?.pool() ?? { used: 0, size: 1 },
    [Symbol.asyncDispose]: async () => opened?.[Symbol.asyncDispose](),
  };
}
