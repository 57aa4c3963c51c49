/** The sink of a function: one connection, time limits below the function's own, and it prepares the database itself. */
import type { OpenSinkOptions } from "@firehose-backfill/sink/kit";
import type { ConsumerSink } from "@firehose-backfill/sink/sink";
import { openSink } from "./open-sink.ts";

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

export function createDeployedSink({
  databaseUrl,
  ...options
}: Omit<OpenSinkOptions, "poolSize"> & { readonly databaseUrl: string }): ConsumerSink {
  const how = { ...options, poolSize: 1, statementMs: STATEMENT_TIMEOUT_MS, preparesItself: true };
  return openSink(databaseUrl, LIMITS).openSink(how);
}
