/** What became of a batch's rows: every one is counted once, as applied or as stale. Pure. */
import type { LatestRows } from "./latest-rows.ts";
import type { DataRow } from "./request.ts";
import type { StatementResult } from "./pipeline.ts";
import type { BatchStatement, Target } from "./statements.ts";

/**
 * How many of the rows changed the database. A row that a newer row of the same batch replaces is stale, as it would be
 * if the newer one had come in an earlier batch.
 */
export function countApplied(
  latest: LatestRows,
  statements: readonly BatchStatement[],
  results: readonly StatementResult[],
  hasRanges = false,
): number {
  const byTarget = new Map<Target, StatementResult | undefined>(
    statements.map(({ target }, i) => [target, results[i]]),
  );
  const didsOf = (target: Target) => new Set(byTarget.get(target)?.rows.map(([did]) => did));
  const countOf = (target: Target) => byTarget.get(target)?.count ?? 0;
  // A deletion can change two things, the status and the purge; it is one event.
  const markers = new Set<DataRow>();
  const [statuses, purged] = [didsOf("accounts"), didsOf("purges")];
  for (const row of latest.accounts) if (statuses.has(row.did)) markers.add(row);
  for (const row of latest.purges) if (purged.has(row.did)) markers.add(row);
  // Where ranges are, their records are counted as they stand in the end (apply-ranges.ts).
  const proved = hasRanges ? 0 : countOf("proved");
  return (
    proved +
    markers.size +
    countOf("syncs") +
    countOf("identities") +
    latest.identitiesWithoutHandle +
    countOf("records")
  );
}
