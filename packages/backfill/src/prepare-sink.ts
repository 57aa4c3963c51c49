/** Checks the sink before anything is planned. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import type { SinkKit } from "@firehose-backfill/sink/kit";
import { SinkError } from "@firehose-backfill/sink/sink-error";
import { refuseOtherDatabase } from "./bound-database.ts";

export interface PrepareOptions {
  readonly throttleQuery: string | null;
  /** The runs that go on here, without those that are cancelled anyway. */
  readonly goesOn: readonly Run[];
}

/**
 * It is reachable, has a usable version, is the one that the run is bound to, is migrated, and its throttle query can work.
 * @throws SinkError, ConfigError: each with one clear message and no password
 */
export async function prepareSink(sink: SinkKit, { throttleQuery, goesOn }: PrepareOptions): Promise<void> {
  await sink.verify();
  // Before anything is made there: the address may be a mistake.
  const found = await sink.identity();
  for (const run of goesOn) refuseOtherDatabase(run, found);
  await refuseUnusable(sink);
  await sink.migrate();
  if (throttleQuery !== null) await sink.checkThrottleQuery(throttleQuery);
}

/** `doctor` reports the same. @throws SinkError (`broken`) with what is wrong and what to do; ConfigError */
export async function refuseUnusable(sink: SinkKit): Promise<void> {
  const { isReadOnly, problem } = await sink.examine();
  const why = isReadOnly ? READ_ONLY : problem;
  if (why === null) return;
  const { shown } = await sink.verify();
  throw new SinkError(`the database at ${shown} cannot be used: ${why.finding}. To fix it: ${why.advice}`, "broken");
}

const READ_ONLY = { finding: "it is read only", advice: "name the primary in DATABASE_URL, not a replica" };

/** The database that a new run is bound to. @throws SinkError, ConfigError */
export async function identityOf(sink: SinkKit): Promise<DatabaseIdentity> {
  const { id, name } = await sink.identity();
  if (id === null) throw new SinkError(`the schema "firehose" is gone from ${name}`, "broken");
  return { id, name };
}
