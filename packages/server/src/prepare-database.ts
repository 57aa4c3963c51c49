/** The database where events will be applied, looked at before anything is planned. */
import { ConfigError } from "@firehose-backfill/core/errors";
import { checkThrottleQuery, ThrottleQueryError } from "@firehose-backfill/sink/health";
import { migrate } from "@firehose-backfill/sink/schema/migrate";
import { verifyConnection } from "@firehose-backfill/sink/verify-connection";

/** Reached, of a version that will do, migrated, and the throttle query can work. @throws SinkError, ConfigError */
export async function prepareDatabase(databaseUrl: string, throttleQuery: string | null): Promise<void> {
  await verifyConnection({ databaseUrl });
  await migrate({ databaseUrl });
  if (throttleQuery === null) return;
  try {
    await checkThrottleQuery({ databaseUrl, throttleQuery });
  } catch (error) {
    throw error instanceof ThrottleQueryError ? new ConfigError([error.message]) : error;
  }
}
