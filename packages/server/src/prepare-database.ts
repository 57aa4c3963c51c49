/** The database where events will be applied, looked at before anything is planned. */
import { refuseOtherDatabase } from "@firehose-backfill/backfill/bound-database";
import type { Run } from "@firehose-backfill/checkpoint/run";
import { ConfigError } from "@firehose-backfill/core/errors";
import { refuseUnusable } from "@firehose-backfill/sink/examine";
import { checkThrottleQuery, ThrottleQueryError } from "@firehose-backfill/sink/health";
import { readIdentity } from "@firehose-backfill/sink/identity";
import { migrate } from "@firehose-backfill/sink/schema/migrate";
import { verifyConnection } from "@firehose-backfill/sink/verify-connection";

export interface PrepareOptions {
  readonly databaseUrl: string;
  readonly throttleQuery: string | null;
  /** The run that goes on here; null: none does, or one that is cancelled anyway. */
  readonly goesOn: Run | null;
  readonly signal: AbortSignal;
}

/**
 * Reached, of a version that will do, the one that the run is bound to, migrated, and the throttle query can work.
 * @throws SinkError, ConfigError
 */
export async function prepareDatabase({ databaseUrl, throttleQuery, goesOn, signal }: PrepareOptions): Promise<void> {
  await verifyConnection({ databaseUrl, signal });
  // Before anything is made there: the address may be a mistake.
  refuseOtherDatabase(goesOn, await readIdentity({ databaseUrl, signal }));
  await refuseUnusable({ databaseUrl, signal });
  await migrate({ databaseUrl, signal });
  if (throttleQuery === null) return;
  try {
    await checkThrottleQuery({ databaseUrl, throttleQuery, signal });
  } catch (error) {
    throw error instanceof ThrottleQueryError ? new ConfigError([error.message]) : error;
  }
}
