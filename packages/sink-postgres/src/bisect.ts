/**
 * Finds the rows that the database refuses, inside one transaction: savepoint, try, halve. The rest is applied.
 * Rows are sorted by repo before they are halved, so that locks are still taken in the one order of all batches.
 */
import { countApplied } from "./batch-counts.ts";
import type { Session } from "./connection.ts";
import { refusedRow } from "./dead-events.ts";
import { latestRows } from "./latest-rows.ts";
import type { DataRow } from "./request.ts";
import { StatementError } from "./sink-error.ts";
import { batchStatements } from "./statements.ts";
import type { DeadRow } from "@firehose-backfill/sink/rows";

/** What rows are judged by: the time now, and the host whose sequence numbers they carry. */
export interface RowContext {
  readonly nowMs: number;
  readonly host: number;
  /** The records of repositories are not counted here. */
  readonly hasRanges: boolean;
  /** Links are compared after all rows. */
  readonly hasLinks: boolean;
}

export interface Bisected {
  readonly applied: number;
  readonly refused: readonly { readonly row: DataRow; readonly dead: DeadRow }[];
}

/** @throws StatementError for anything that is not one row's fault, SinkError when the connection is gone */
export async function applyBisected(
  session: Session,
  rows: readonly DataRow[],
  context: RowContext,
): Promise<Bisected> {
  const refused: { row: DataRow; dead: DeadRow }[] = [];
  let applied = 0;
  const attempt = async (part: readonly DataRow[]): Promise<void> => {
    const error = await tryRows(session, part, context, (count) => (applied += count));
    if (error === null) return;
    const [only] = part;
    if (part.length === 1 && only !== undefined) {
      refused.push({ row: only, dead: refusedRow(only, error) });
      return;
    }
    const middle = Math.ceil(part.length / 2);
    await attempt(part.slice(0, middle));
    await attempt(part.slice(middle));
  };
  // What a constraint would refuse at the commit belongs to its row, and has to be met while the row can be taken back.
  await session.run([{ sql: "SET CONSTRAINTS ALL IMMEDIATE" }]);
  await attempt([...rows].sort((a, b) => (a.did < b.did ? -1 : Number(a.did > b.did))));
  return { applied, refused };
}

/** null: applied. Otherwise the data error, with nothing of these rows left. */
async function tryRows(
  session: Session,
  rows: readonly DataRow[],
  context: RowContext,
  onApplied: (count: number) => void,
): Promise<StatementError | null> {
  const latest = latestRows(rows, context.nowMs);
  const statements = batchStatements(latest, context.host);
  try {
    const results = await session.run([{ sql: "SAVEPOINT part" }, ...statements, { sql: "RELEASE SAVEPOINT part" }]);
    onApplied(countApplied(latest, statements, results.slice(1), context.hasRanges));
    return null;
  } catch (error) {
    if (!(error instanceof StatementError) || error.verdict !== "data") throw error;
    await session.run([{ sql: "ROLLBACK TO SAVEPOINT part" }, { sql: "RELEASE SAVEPOINT part" }]);
    return error;
  }
}
