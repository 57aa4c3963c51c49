/**
 * The sink of a function: one connection, and the schema brought up to date by the first batch of an environment, so
 * that a run which the schedule began, or one that goes on after an upgrade, finds its tables. What is wrong with the
 * database's address is met where a batch is applied: there it stops the run, and the operator is told.
 */
import { otherDatabase } from "@firehose-backfill/core/database-identity";
import { DatabaseUrlError } from "@firehose-backfill/sink/database-url";
import { readIdentity } from "@firehose-backfill/sink/identity";
import { migrate } from "@firehose-backfill/sink/schema/migrate";
import { createSink, type PostgresSink, type SinkOptions } from "@firehose-backfill/sink/sink";
import { beforeTransaction, SinkError } from "@firehose-backfill/sink/sink-error";
import type { ApplyRequest, Sink } from "@firehose-backfill/sink/types";

/** Below the function's own time-out: the server ends a statement before Lambda ends the environment. */
const STATEMENT_TIMEOUT_MS = 20_000;
/** A round trip, too: a server that does not answer at all is given up while there is time to hide the message. */
export const ROUND_TRIP_TIMEOUT_MS = 22_000;
const CONNECT_TIMEOUT_MS = 5_000;

const LIMITS = {
  connectTimeoutMs: CONNECT_TIMEOUT_MS,
  roundTripTimeoutMs: ROUND_TRIP_TIMEOUT_MS,
  useTimeoutMs: ROUND_TRIP_TIMEOUT_MS,
};

export function createDeployedSink(options: Omit<SinkOptions, "poolSize" | "timeouts">): Sink {
  let opened: PostgresSink | null = null;
  let isMigrated = false;
  const open = () =>
    (opened ??= createSink({
      ...options,
      ...LIMITS,
      poolSize: 1,
      timeouts: { statementMs: STATEMENT_TIMEOUT_MS },
    }));

  /** Before anything is made there: the secret may name another database by now. */
  const refuseOther = async ({ runId, database = null }: ApplyRequest) => {
    if (database === null) return;
    const found = await readIdentity({ databaseUrl: options.databaseUrl, ...LIMITS });
    const problem = otherDatabase(runId, database, found);
    if (problem !== null) throw new SinkError(problem, { kind: "broken" });
  };

  return {
    async apply(request) {
      try {
        const sink = open();
        if (!isMigrated) {
          await refuseOther(request);
          await migrate({ databaseUrl: options.databaseUrl, ...LIMITS });
          isMigrated = true;
        }
        return await sink.apply(request);
      } catch (error) {
        if (error instanceof DatabaseUrlError) throw new SinkError(error.message, { kind: "broken" }, { cause: error });
        throw isMigrated ? error : beforeTransaction(error);
      }
    },
    // Asked before a batch is applied; without a throttle query it must not be what finds the address wrong.
    health: async () => (options.throttleQuery === null ? { kind: "healthy" } : open().health()),
    pool: () => opened?.pool() ?? { used: 0, size: 1 },
    [Symbol.asyncDispose]: async () => opened?.[Symbol.asyncDispose](),
  };
}
