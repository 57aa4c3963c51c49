/**
 * Finds the rows that the database refuses, within one transaction: it sets a savepoint, tries the rows, and halves them if
 * they are refused. The other rows are applied. Rows are sorted by repository before they are halved, so that all batches take
 * locks in the same order.
 */
import { countApplied } from "./batch-counts.ts";
import type { Session } from "./connection.ts";
import { refusedRow } from "./dead-events.ts";
import { latestRows } from "./latest-rows.ts";
import type { DataRow } from "./request.ts";
import { StatementError } from "./sink-error.ts";
import { batchStatements } from "./statements.ts";
import type { DeadRow } from "@firehose-backfill/sink/rows";

/** The current time, and the host whose sequence numbers the rows have. */
export interface RowContext {
  readonly nowMs: number;
  readonly host: number;
  /** The batch has ranges, so records of repositories are not counted here. */
  readonly hasRanges: boolean;
  /** The batch has links, which are compared after all rows. */
  readonly hasLinks: boolean;
}

export interface Bisected {
  readonly applied: number;
  readonly refused: readonly { readonly row: DataRow; readonly dead: DeadRow }[];
}

/** @throws StatementError if the cause is not a single row, SinkError if the connection is lost */
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
  // A deferred constraint would refuse the row only at the commit. It is checked now, while the row can still be rolled back.
  await session.run([{ sql: "SET CONSTRAINTS ALL IMMEDIATE" }]);
  await attempt([...rows].sort((a, b) => (a.did < b.did ? -1 : Number(a.did > b.did))));
  return { applied, refused };
}

/** null: the rows are applied. Otherwise the data error; none of these rows is applied. */
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
