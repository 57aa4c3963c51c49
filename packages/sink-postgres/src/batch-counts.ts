/** Counts each row of a batch once, as applied or as stale. Pure. */
import type { LatestRows } from "./latest-rows.ts";
import type { DataRow } from "./request.ts";
import type { StatementResult } from "./pipeline.ts";
import type { BatchStatement, Target } from "./statements.ts";

/**
 * How many rows changed the database. If the same batch contains a newer row for the key, the older one is stale, just as if
 * the newer one had come in an earlier batch.
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
  // A deletion of an account changes two things, its status and its rows, but is one event.
  const markers = new Set<DataRow>();
  const [statuses, purged] = [didsOf("accounts"), didsOf("purges")];
  for (const row of latest.accounts) if (statuses.has(row.did)) markers.add(row);
  for (const row of latest.purges) if (purged.has(row.did)) markers.add(row);
  // If the batch has ranges, apply-ranges.ts counts their records as they are in the end.
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
