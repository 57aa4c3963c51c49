/** Keeps the result of an audit with the pace of the database that it was made of. */
import type { NoteStore } from "@firehose-backfill/checkpoint/note-store";
import { paceIdOf } from "@firehose-backfill/checkpoint/pace-id";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import type { AuditNote } from "@firehose-backfill/core/audit-note";

export async function keepAudit(
  store: Pick<RunStore, "currentRun"> & Pick<NoteStore, "putAudit">,
  { audit, database }: { readonly audit: AuditNote; readonly database: string },
): Promise<void> {
  const run = await store.currentRun();
  // A run that a deployed reader began does not know its database, and is the only one of its pace.
  const isItsRun = run !== null && (run.database === null || run.database.id === database);
  await store.putAudit(isItsRun ? run.paceId : paceIdOf(database), audit);
}
