/**
 * One batch, one transaction, two round trips: begin and lock; then all statements and the commit. A row that the
 * database refuses is looked for in a second transaction and set aside; a deadlock or a lock not had is tried again.
 */
import type { BatchCounts } from "@firehose-backfill/core/batch";
import type { Clock } from "@firehose-backfill/core/clock";
import { countApplied } from "./batch-counts.ts";
import { applyBisected } from "./bisect.ts";
import type { Session } from "./connection.ts";
import { deadStatement } from "./dead-events.ts";
import { type DataRow, foldRows } from "./fold.ts";
import type { Statement, StatementResult } from "./pipeline.ts";
import { gotLock } from "./run-lock.ts";
import { StatementError } from "./sink-error.ts";
import { batchStatements } from "./statements.ts";
import type { ApplyRequest, ApplyResult, DeadRow } from "./types.ts";

export interface ApplyDeps {
  readonly session: Session;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** BEGIN and the lock, anew for each transaction. */
  readonly opening: () => readonly Statement[];
}

const MAX_RETRIES = 5;
const RETRY_BASE_MS = 20;

/**
 * @param opened what `opening` was answered, for the first transaction
 * @throws StatementError, or SinkError when the connection is gone; what happened to the batch is then unknown, and
 * applying it again does no harm
 */
export async function applyBatch(
  deps: ApplyDeps,
  request: ApplyRequest,
  opened: readonly StatementResult[],
): Promise<ApplyResult> {
  const startedAt = deps.clock.now();
  const dead = request.rows.filter((row): row is DeadRow => row.kind === "dead");
  const data = request.rows.filter((row): row is DataRow => row.kind !== "dead");
  let retries = 0;
  let write = applyWhole;
  for (;;) {
    // Asked anew before each transaction: what is late by then must not be sent either.
    const refusal = gotLock(opened) ? (request.isOnTime() ? null : "late") : "busy";
    if (refusal !== null) {
      await deps.session.run([{ sql: "ROLLBACK" }]);
      return { kind: refusal };
    }
    await request.onLocked?.();
    try {
      const counts = await write(deps.session, request.runId, data, dead);
      return { kind: "applied", counts, durationMs: deps.clock.now() - startedAt };
    } catch (error) {
      // Thrown, it closes the connection, and the server rolls back.
      if (!(error instanceof StatementError)) throw error;
      if (error.verdict === "again" && retries < MAX_RETRIES) retries += 1;
      else if (error.verdict === "data" && write === applyWhole) write = applyWithoutRefused;
      else throw error;
      await deps.session.run([{ sql: "ROLLBACK" }]);
      if (error.verdict === "again") await deps.clock.sleep(RETRY_BASE_MS * 2 ** retries * deps.random());
    }
    opened = await deps.session.run(deps.opening());
  }
}

type Write = (
  session: Session,
  runId: string,
  data: readonly DataRow[],
  dead: readonly DeadRow[],
) => Promise<BatchCounts>;

const applyWhole: Write = async (session, runId, data, dead) => {
  const folded = foldRows(data);
  const statements = batchStatements(folded);
  const results = await session.run([...statements, ...deadStatements(runId, dead), { sql: "COMMIT" }]);
  const applied = countApplied(folded, statements, results);
  return { applied, stale: data.length - applied, dead: dead.length };
};

const applyWithoutRefused: Write = async (session, runId, data, dead) => {
  const { applied, refused } = await applyBisected(session, data);
  await session.run([...deadStatements(runId, [...dead, ...refused]), { sql: "COMMIT" }]);
  return { applied, stale: data.length - refused.length - applied, dead: dead.length + refused.length };
};

function deadStatements(runId: string, dead: readonly DeadRow[]): readonly Statement[] {
  return dead.length === 0 ? [] : [deadStatement(runId, dead)];
}
