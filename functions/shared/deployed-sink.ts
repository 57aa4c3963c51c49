/** The sink of a function: one connection, time limits below the function's own, and it prepares the database itself. */
import type { OpenSinkOptions, SinkKit } from "@firehose-backfill/sink/kit";
import type { ConsumerSink } from "@firehose-backfill/sink/sink";

/** Below the function's own time-out: the server ends a statement before Lambda ends the environment. */
const STATEMENT_TIMEOUT_MS = 20_000;
/** A round trip, too: a server that does not answer at all is given up while there is time to hide the message. */
export const ROUND_TRIP_TIMEOUT_MS = 22_000;
const CONNECT_TIMEOUT_MS = 5_000;

export const DATABASE_LIMITS = {
  connectTimeoutMs: CONNECT_TIMEOUT_MS,
  roundTripTimeoutMs: ROUND_TRIP_TIMEOUT_MS,
  useTimeoutMs: ROUND_TRIP_TIMEOUT_MS,
};

export function createDeployedSink({
  database,
  ...options
}: Omit<OpenSinkOptions, "poolSize"> & { readonly database: Pick<SinkKit, "openSink"> }): ConsumerSink {
  return database.openSink({ ...options, poolSize: 1, statementMs: STATEMENT_TIMEOUT_MS, preparesItself: true });
}
