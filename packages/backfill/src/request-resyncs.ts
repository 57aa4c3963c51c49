/**
 * Which repositories have to be read anew, as a batch shows: a commit does not connect to the one before it, or it could not be undone.
 * This is noted before the ledger says that the batch is applied. After a crash the batch comes again and says the same.
 */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { INVERSION_FAILED } from "@firehose-backfill/core/dead-entry";
import { someAtOnce } from "@firehose-backfill/core/some-at-once";
import type { SinkRow } from "@firehose-backfill/sink/rows";
import type { ChainFindings } from "@firehose-backfill/sink/sink";
import type { ConsumerDeps } from "./deps.ts";

type Deps = Pick<ConsumerDeps, "store" | "clock">;
/** Its filters hold for the reading. */
type OfRun = Pick<Run, "runId" | "paceId">;

/** The sink calls it before it commits, while the repositories are locked. */
export async function noteChain({ store, clock }: Deps, run: OfRun, found: ChainFindings): Promise<void> {
  const { paceId, runId } = run;
  const atMs = clock.now();
  await someAtOnce(found.opened, NOTED_AT_ONCE, ({ did, rev, reason }) =>
    store.requestResync(paceId, { did, rev, reason, atMs, runId }),
  );
  await someAtOnce(found.closed, NOTED_AT_ONCE, ({ did, provedRev }) => store.withdrawResync(paceId, did, provedRev));
}

/** After a gap each repository of a batch may lack something. */
const NOTED_AT_ONCE = 20;

export async function noteInversions({ store, clock }: Deps, run: OfRun, rows: readonly SinkRow[]): Promise<void> {
  const { paceId, runId } = run;
  const failed = new Set<string>();
  for (const row of rows) {
    if (row.kind === "dead" && row.reason === INVERSION_FAILED && row.did !== null) failed.add(row.did);
  }
  await someAtOnce([...failed], NOTED_AT_ONCE, (did) =>
    store.requestResync(paceId, { did, rev: null, reason: "inversion", atMs: clock.now(), runId }),
  );
}
