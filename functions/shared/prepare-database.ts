/** Before a run begins or goes on: the database is reached, of a version that will do, migrated, and can be asked how it is. */
import { refuseOtherDatabase } from "@firehose-backfill/backfill/bound-database";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Settings } from "@firehose-backfill/core/config/settings";
import { ConfigError } from "@firehose-backfill/core/errors";
import { checkThrottleQuery, ThrottleQueryError } from "@firehose-backfill/sink/health";
import { readIdentity } from "@firehose-backfill/sink/identity";
import { migrate } from "@firehose-backfill/sink/schema/migrate";
import { verifyConnection } from "@firehose-backfill/sink/verify-connection";

/** @throws DatabaseUrlError, SinkError, ConfigError: each with one clear message and no password */
export async function prepareDatabase(
  databaseUrl: string,
  {
    throttleQuery,
    goesOn,
  }: Pick<Settings, "throttleQuery"> & {
    /** The run that is to go on with it, if there is one. */
    readonly goesOn: Run | null;
  },
): Promise<void> {
  await verifyConnection({ databaseUrl });
  // Before anything is made there: the address may be a mistake.
  refuseOtherDatabase(goesOn, await readIdentity({ databaseUrl }));
  await migrate({ databaseUrl });
  if (throttleQuery === null) return;
  try {
    await checkThrottleQuery({ databaseUrl, throttleQuery });
  } catch (error) {
    throw error instanceof ThrottleQueryError ? new ConfigError([error.message]) : error;
  }
}
