/**
 * Applies what ranges of repositories prove, after the records of the batch, in the same transaction. It removes rows that a
 * range proves absent, in the order of their keys, up to the number that this call may remove. It stores with each repository
 * what is complete by then. The repositories are locked, so nothing changes between reading and writing.
 */
import type { RangeRow } from "@firehose-backfill/sink/rows";
import type { Session } from "./connection.ts";
import { hostNumber } from "./host-number.ts";
import type { Statement, StatementResult } from "./pipeline.ts";
import { addProved, type ProvedKeys, provedUpTo } from "./proved-keys.ts";
import {
  absentStatement,
  type FoundRow,
  keepProvedStatement,
  provedStatement,
  readProved,
  removeStatement,
  standingStatement,
} from "./range-statements.ts";

export interface RangePlan {
  /** They run before COMMIT. If nothing is left to remove, the last statements count the results of the ranges. */
  readonly statements: readonly Statement[];
  /** `removed`: how many rows these statements remove. `left`: how many rows must still be removed after that, as far as the search went. */
  readonly removed: number;
  readonly left: number;
}

export interface RangeCounts {
  /** How many rows this run has removed at the ranges' revisions, in this call or earlier. */
  readonly removed: number;
  /** How many of the ranges' records are in the table at the ranges' revisions. */
  readonly held: number;
}

/** The search finds so many rows more than may be removed now, to estimate how many slots the rest will need. */
const LOOK_AHEAD = 2000;
/** At most this many rows are removed at once, whatever the caller allows. */
const MOST_AT_ONCE = 10_000;

export async function planRanges(
  session: Session,
  ranges: readonly RangeRow[],
  options: { readonly runId: string; readonly maxRemovals: number; readonly isRepair: boolean },
): Promise<RangePlan> {
  const dids = [...new Set(ranges.map(({ did }) => did))];
  const [stored] = await session.run([provedStatement(dids)]);
  const before = new Map((stored?.rows ?? []).map(([did, proved]) => [did ?? "", readProved(proved ?? null)]));
  const proved = new Map(before);
  // What is known already is not looked through again: a range with many rows to remove goes on where it was.
  // In a repair what is known may be wrong by now: somebody else has changed the rows.
  const open = ranges.map((range) => ({
    range,
    from: options.isRepair ? range.from : provedUpTo(before.get(range.did) ?? [], range),
  }));
  const limit = Math.min(options.maxRemovals, MOST_AT_ONCE) + LOOK_AHEAD;
  const found = await lookForAbsent(session, open, limit);

  // Ranges of a batch may overlap. A row is removed once, at the newest revision.
  const removed = new Map<string, FoundRow & { readonly range: RangeRow }>();
  let left = 0;
  for (const [index, { range }] of open.entries()) {
    const rows = found[index] ?? [];
    const now = rows.slice(0, Math.max(0, options.maxRemovals - removed.size));
    const isComplete = now.length === rows.length && rows.length < limit;
    left += isComplete ? 0 : Math.max(1, rows.length - now.length);
    for (const row of now) {
      const key = `${range.did} ${row.collection}/${row.rkey}`;
      const other = removed.get(key);
      if (other === undefined || other.range.rev < range.rev) removed.set(key, { ...row, range });
    }
    const last = now.at(-1);
    const upTo = isComplete ? range.to : last === undefined ? range.from : `${last.collection}/${last.rkey}`;
    if (upTo > range.from)
      proved.set(range.did, addProved(proved.get(range.did) ?? [], { ...keysOf(range), to: upTo }));
  }
  const runNumber = hostNumber(options.runId);
  return {
    statements: [
      ...(removed.size === 0 ? [] : [removeStatement([...removed.values()], runNumber)]),
      ...[...proved].flatMap(([did, its]) => (its === before.get(did) ? [] : [keepProvedStatement(did, its)])),
      ...(left > 0 ? [] : ranges.map((range) => standingStatement(range, runNumber))),
    ],
    removed: removed.size,
    left,
  };
}

/** `results`: the results of all statements of the plan. */
export function countRanges(ranges: readonly RangeRow[], results: readonly StatementResult[]): RangeCounts {
  let removed = 0;
  let held = 0;
  for (const { rows } of results.slice(results.length - ranges.length)) {
    const [gone, there] = rows[0] ?? [];
    removed += Number(gone ?? 0);
    held += Number(there ?? 0);
  }
  return { removed, held };
}

async function lookForAbsent(
  session: Session,
  open: readonly { readonly range: RangeRow; readonly from: string }[],
  limit: number,
): Promise<readonly (readonly FoundRow[])[]> {
  const asked = open.filter(({ range, from }) => from < range.to);
  const results = await session.run(asked.map(({ range, from }) => absentStatement(range, from, limit)));
  const byRange = new Map(asked.map(({ range }, index) => [range, results[index]?.rows ?? []]));
  return open.map(({ range }) =>
    (byRange.get(range) ?? []).map(([collection, rkey]) => ({ collection: collection ?? "", rkey: rkey ?? "" })),
  );
}

function keysOf({ from, to, rev, sinceTid }: RangeRow): ProvedKeys {
  return { from, to, rev, sinceTid };
}
