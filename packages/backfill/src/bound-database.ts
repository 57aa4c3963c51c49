/** A run writes to one database from its beginning to its end: with another one it neither starts nor resumes. */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { otherDatabase } from "@firehose-backfill/core/database-identity";
import { ConfigError } from "@firehose-backfill/core/errors";

/** @param found `id` null: it has no schema of ours yet. @throws ConfigError with both databases and the possible actions */
export function refuseOtherDatabase(
  run: Pick<Run, "runId" | "database">,
  found: { readonly id: string | null; readonly name: string },
): void {
  const problem = otherDatabase(run.runId, run.database, found);
  if (problem !== null) throw new ConfigError([problem]);
}
