/**
 * A repository that could not be read left no event that could be sent again; the repository itself is still there. A redrive requests that it is read anew, as
 * for a commit that is missing. The request is stored before the dead event is closed, so a crash between them requests it twice, which is once.
 */
import type { RequestOutcome, ResyncStore } from "@firehose-backfill/checkpoint/resync-store";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { RunStore } from "@firehose-backfill/checkpoint/run-store";
import type { Clock } from "@firehose-backfill/core/clock";
import { someAtOnce } from "@firehose-backfill/core/some-at-once";
import type { DeadEvents, FailedRepository } from "@firehose-backfill/sink/dead-events";

export interface RepositoriesDeps {
  readonly store: Pick<RunStore, "getRun"> & Pick<ResyncStore, "requestResync">;
  readonly clock: Pick<Clock, "now">;
}

export interface RedrivenRepositories {
  /** Repositories that are read anew. */
  readonly requested: number;
  /** Dead events that stay, because there are too many requests already. */
  readonly left: number;
  /** Dead events that stay, because the DID is too long for a request. */
  readonly tooLong: number;
  /** Dead events of runs that are cancelled or not known. */
  readonly abandoned: number;
}

export async function redriveRepositories(
  { store, clock }: RepositoriesDeps,
  dead: DeadEvents,
  failed: readonly FailedRepository[],
): Promise<RedrivenRepositories> {
  let [left, tooLong, abandoned] = [0, 0, 0];
  const handed: FailedRepository[] = [];
  for (const [runId, its] of Map.groupBy(failed, (each) => each.runId)) {
    const run = await store.getRun(runId);
    if (run === null || isCancelled(run)) {
      abandoned += its.length;
      continue;
    }
    const byDid = [...Map.groupBy(its, (each) => each.did)];
    // In parts, because there may be more than a function has time for: then the next redrive goes on behind the last part.
    for (let from = 0; from < byDid.length; from += CLOSED_AT_ONCE) {
      const part = byDid.slice(from, from + CLOSED_AT_ONCE);
      const outcomes = await someAtOnce(part, REQUESTED_AT_ONCE, ([did]) =>
        // The filters of its run hold when it is read anew.
        store.requestResync(run.paceId, { did, reason: "failed", rev: null, atMs: clock.now(), runId }),
      );
      const entriesOf = (...wanted: readonly RequestOutcome[]): readonly FailedRepository[] =>
        part.flatMap(([, entries], index) => (wanted.includes(outcomes[index] ?? "full") ? entries : []));
      const requested = entriesOf("placed", "there");
      left += entriesOf("full").length;
      tooLong += entriesOf("bad-did").length;
      if (requested.length > 0) await dead.handOver(requested.map(({ id }) => id));
      handed.push(...requested);
    }
  }
  return { requested: new Set(handed.map(({ did }) => did)).size, left, tooLong, abandoned };
}

/** Repositories. */
const CLOSED_AT_ONCE = 100;
const REQUESTED_AT_ONCE = 20;

export function isCancelled({ status }: Run): boolean {
  return status === "cancelled" || status === "cancelling";
}
