/**
 * Which repositories have to be read anew, as a batch shows that was just committed: a commit that does not connect to the one before
 * it, or that could not be undone. This is done before the ledger says that the batch is applied: after a crash it comes again and says the same.
 */
import { INVERSION_FAILED } from "@firehose-backfill/core/dead-entry";
import type { SinkRow } from "@firehose-backfill/sink/rows";
import type { ChainFindings } from "@firehose-backfill/sink/sink";
import type { ConsumerDeps } from "./deps.ts";

export async function requestResyncs(
  { store, clock }: Pick<ConsumerDeps, "store" | "clock">,
  paceId: string,
  found: { readonly rows: readonly SinkRow[]; readonly chain: ChainFindings | null },
): Promise<void> {
  const atMs = clock.now();
  for (const { did, rev, reason } of found.chain?.opened ?? []) {
    await store.requestResync(paceId, { did, rev, reason, atMs });
  }
  for (const did of found.chain?.closed ?? []) await store.withdrawResync(paceId, did);
  const failed = new Set(found.rows.flatMap((row) => (hasFailed(row) ? [row.did ?? ""] : [])));
  failed.delete("");
  for (const did of failed) await store.requestResync(paceId, { did, rev: null, reason: "inversion", atMs });
}

function hasFailed(row: SinkRow): boolean {
  return row.kind === "dead" && row.reason === INVERSION_FAILED;
}
