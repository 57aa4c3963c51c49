/**
 * Applies one batch in one transaction with two round trips: the first begins and locks, the second runs all statements and
 * commits. Ranges of repositories need a few more, because the rows to remove must be found first. If the database refuses a
 * row, a second transaction finds that row and makes it a dead event. After a deadlock or a lock timeout the batch is tried
 * again.
 */
import type { BatchCounts } from "@firehose-backfill/core/batch";
import type { Clock } from "@firehose-backfill/core/clock";
import { countApplied } from "./batch-counts.ts";
import { otherDatabase } from "@firehose-backfill/core/database-identity";
import { applyBisected, type RowContext } from "./bisect.ts";
import type { Session } from "./connection.ts";
import { deadStatement } from "./dead-events.ts";
import { planLinks } from "./apply-links.ts";
import { countRanges, planRanges } from "./apply-ranges.ts";
import { latestRows } from "./latest-rows.ts";

import { hostNumber } from "./host-number.ts";
import { describeLockHolder } from "./lock-holder.ts";
import type { Statement, StatementResult } from "./pipeline.ts";
import { keptPlaces, redriveResult, redriveStatements } from "./redriven.ts";
import { isUnprepared } from "./prepared-names.ts";
import { gotLock, identityOf } from "./run-lock.ts";
import { beforeTransaction, PostgresError, StatementError } from "./sink-error.ts";
import { batchStatements } from "./statements.ts";
import { type ApplyRequest, type DataRow, redriveOf } from "./request.ts";
import type { DeadRow, SinkRow } from "@firehose-backfill/sink/rows";
import type { ApplyResult } from "@firehose-backfill/sink/sink";

export interface ApplyDeps {
  readonly session: Session;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Returns the statements BEGIN and lock for a new transaction. */
  readonly opening: () => readonly Statement[];
  /** host:port/database. */
  readonly databaseName: string;
  /** Time since the batch began, after which a refused transaction is not tried again: the batch waits instead. */
  readonly retryForMs: number;
}

const MAX_RETRIES = 5;
const RETRY_BASE_MS = 20;

/**
 * @param opened the results of `opening` for the first transaction
 * @throws StatementError, or SinkError if the connection is lost. In that case it is not known whether the batch was applied;
 * applying it again does no harm
 */
export async function applyBatch(
  deps: ApplyDeps,
  request: ApplyRequest,
  opened: readonly StatementResult[],
): Promise<ApplyResult> {
  const startedAt = deps.clock.now();
  const hasRanges = request.rows.some(({ kind }) => kind === "range");
  const hasLinks = request.rows.some(({ kind }) => kind === "link");
  const context: RowContext = { nowMs: startedAt, host: hostNumber(request.host ?? ""), hasRanges, hasLinks };
  let retries = 0;
  let write = applyWhole;
  for (;;) {
    // This is checked before each transaction, because a batch that has become late must not be sent.
    const refusal = gotLock(opened) ? (request.lock.isOnTime() ? null : "late") : "busy";
    if (refusal !== null) {
      await deps.session.run([{ sql: "ROLLBACK" }]);
      return { kind: refusal };
    }
    await refuseOtherDatabase(deps, request, opened);
    await request.lock.onHeld?.();
    try {
      const rows = await rowsOf(deps.session, request);
      const written = await write(deps.session, { request, rows, context });
      return { ...written, durationMs: deps.clock.now() - startedAt };
    } catch (error) {
      // An error that is thrown here closes the connection, and the server rolls back.
      if (!(error instanceof StatementError)) throw error;
      const isInTime = deps.clock.now() - startedAt < deps.retryForMs;
      if (error.verdict === "again" && retries < MAX_RETRIES && isInTime) retries += 1;
      else if (error.verdict === "data" && write === applyWhole) write = applyWithoutRefused;
      else throw await withLockHolder(deps.session, error);
      await deps.session.run([{ sql: "ROLLBACK" }]);
      if (error.verdict === "again") await deps.clock.sleep(RETRY_BASE_MS * 2 ** retries * deps.random());
    }
    opened = await openAgain(deps);
  }
}

/** The rows, without dead events that were discarded after the redrive had sent them. */
async function rowsOf(session: Session, { rows, deadEventIds }: ApplyRequest): Promise<Rows> {
  const isKept = deadEventIds === undefined ? () => true : await keptPlaces(session, deadEventIds);
  const kept = rows.filter((_, place) => isKept(place));
  return {
    dead: kept.filter((row): row is DeadRow => row.kind === "dead"),
    data: kept.filter((row): row is DataRow => row.kind !== "dead"),
  };
}

async function openAgain(deps: ApplyDeps): Promise<readonly StatementResult[]> {
  try {
    return await deps.session.run(deps.opening());
  } catch (error) {
    if (!isUnprepared(error)) throw beforeTransaction(error);
    await deps.session.run([{ sql: "ROLLBACK" }]);
    return openAgain(deps);
  }
}

/** Called before any row is sent. @throws SinkError (`broken`) if this is another database than the run's */
async function refuseOtherDatabase(
  { databaseName }: ApplyDeps,
  { batch: { runId }, database = null, bind }: ApplyRequest,
  opened: readonly StatementResult[],
): Promise<void> {
  const id = identityOf(opened);
  if (id === null) return;
  const found = { id, name: databaseName };
  const problem = otherDatabase(runId, database ?? (await bind?.(found)) ?? null, found);
  if (problem !== null) throw new PostgresError(problem, { kind: "broken" });
}

const LOCK_ERRORS: ReadonlySet<string> = new Set(["55P03", "40P01", "57014"]);

/** If a lock could not be obtained, adds to the error which session holds it, so that somebody can end that session. */
async function withLockHolder(session: Session, error: StatementError): Promise<StatementError> {
  if (!LOCK_ERRORS.has(error.sqlState)) return error;
  try {
    await session.run([{ sql: "ROLLBACK" }]);
    const holder = await describeLockHolder(session);
    return holder === null
      ? error
      : new StatementError(`${holder}: ${error.message}`, error.sqlState, { cause: error, context: error.context });
  } catch {
    // The connection was lost meanwhile. The first error is the one to report.
    return error;
  }
}

type Write = (
  session: Session,
  batch: { readonly request: ApplyRequest; readonly rows: Rows; readonly context: RowContext },
) => Promise<Written>;

type Written =
  | { readonly kind: "applied"; readonly counts: BatchCounts }
  | { readonly kind: "more"; readonly removed: number; readonly left: number };

interface Rows {
  readonly data: readonly DataRow[];
  readonly dead: readonly DeadRow[];
}

const applyWhole: Write = async (session, { request, rows, context }) => {
  const latest = latestRows(rows.data, context.nowMs);
  const statements = batchStatements(latest, context.host);
  if (context.hasRanges || context.hasLinks) {
    const results = await session.run(statements);
    return endBatch(session, request, rows, countApplied(latest, statements, results, context.hasRanges));
  }
  const noted = noteStatements(request, rows.data, rows.dead);
  const results = await session.run([...statements, ...noted, { sql: "COMMIT" }]);
  const applied = countApplied(latest, statements, results);
  const counts = countsOf(request, { ...rows, applied, noted: results.slice(statements.length, -1) });
  return { kind: "applied", counts };
};

const applyWithoutRefused: Write = async (session, { request, rows, context }) => {
  const { applied, refused } = await applyBisected(session, rows.data, context);
  const isRefused = new Set(refused.map(({ row }) => row));
  const data = rows.data.filter((row) => !isRefused.has(row));
  const dead = [...rows.dead, ...refused.map((each) => each.dead)];
  return endBatch(session, request, { data, dead }, applied);
};

/** Runs what comes after the rows: ranges, links, dead events, and the commit. */
async function endBatch(session: Session, request: ApplyRequest, rows: Rows, applied: number): Promise<Written> {
  const { runId } = request.batch;
  const ranges = rows.data.filter((row) => row.kind === "range");
  const { maxRemovals = Infinity, isRepair = false } = request;
  const plan = ranges.length === 0 ? null : await planRanges(session, ranges, { runId, maxRemovals, isRepair });
  const links = rows.data.filter((row) => row.kind === "link");
  const linked =
    links.length === 0 ? null : await planLinks(session, links, { runId, collections: request.collections });
  if (linked !== null && linked.findings.opened.length + linked.findings.closed.length > 0) {
    await request.onChain?.(linked.findings);
  }
  const noted = noteStatements(request, rows.data, rows.dead);
  const statements = [...(linked?.statements ?? []), ...noted, ...(plan?.statements ?? []), { sql: "COMMIT" }];
  const results = (await session.run(statements)).slice(linked?.statements.length ?? 0);
  if (plan !== null && plan.left > 0) return { kind: "more", removed: plan.removed, left: plan.left };
  const its = { ...rows, applied: applied + (linked?.applied ?? 0), noted: results.slice(0, noted.length) };
  if (plan === null) return { kind: "applied", counts: countsOf(request, its) };
  const { held, removed } = countRanges(ranges, results.slice(noted.length, -1));
  const counts = { ...countsOf(request, { ...its, applied: its.applied + held }), removed };
  return { kind: "applied", counts };
}

/** The statements that store the dead events of the batch or, in a redrive, mark which of them are applied now. */
function noteStatements(
  request: ApplyRequest,
  data: readonly DataRow[],
  dead: readonly DeadRow[],
): readonly Statement[] {
  const { batch, rows } = request;
  const redrive = redriveOf(request);
  if (redrive === null) return dead.length === 0 ? [] : [deadStatement(batch.runId, dead)];
  const applied = new Set<SinkRow>(data);
  return redriveStatements(
    redrive,
    redrive.ids.filter((_, index) => {
      const row = rows[index];
      return row !== undefined && applied.has(row);
    }),
  );
}

function countsOf(
  { rows, deadEventIds }: ApplyRequest,
  its: Rows & { readonly applied: number; readonly noted: readonly StatementResult[] },
): BatchCounts {
  if (deadEventIds !== undefined) {
    const { revived, deadReasons } = redriveResult(its.noted, rows.length);
    // An event that another redrive has already applied is counted there and not here.
    const applied = Math.min(its.applied, revived);
    return { applied, stale: revived - applied, dead: rows.length - revived, deadReasons };
  }
  const events = its.data.filter(({ kind }) => kind !== "range").length;
  const counts = { applied: its.applied, stale: events - its.applied, dead: its.dead.length };
  if (its.dead.length === 0) return counts;
  const deadReasons: Record<string, number> = {};
  for (const { reason } of its.dead) deadReasons[reason] = (deadReasons[reason] ?? 0) + 1;
  return { ...counts, deadReasons };
}
