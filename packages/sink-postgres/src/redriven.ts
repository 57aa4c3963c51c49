/**
 * Dead events that are tried again. A row is marked as applied in the transaction that applies its event, with the name
 * of that batch. If the same batch comes twice, it counts the event again; another batch of a second redrive never does.
 */
import { decodeEvent, EVENT_VERSION } from "@firehose-backfill/core/cbor/event-layout";
import { type DatabaseOptions, openDatabase } from "./connection.ts";
import { countDead, discardDead, listDead } from "./dead-list.ts";
import type { Session } from "./connection.ts";
import type { Statement, StatementResult } from "./pipeline.ts";
import { toSinkError } from "./sink-error.ts";
import { BY_RESYNC, type ClaimedEvent, type DeadEvents } from "@firehose-backfill/sink/dead-events";
import type { Redrive } from "./request.ts";

/** The most bytes of events in one claim; the first event may be larger. */
const CLAIMED_BYTES = 4 * 1024 * 1024;

/** SKIP LOCKED, so that two simultaneous redrives claim different rows. */
const CLAIM = `
  WITH free AS (
    SELECT id, seq, octet_length(event) AS bytes, redriven_at FROM firehose.dead_events
    WHERE event IS NOT NULL AND applied_at IS NULL AND get_byte(event, 0) <= ${EVENT_VERSION}
      AND (redriven_at IS NULL OR redriven_at < to_timestamp($1::bigint / 1000.0))
      AND ($4::uuid IS NULL OR id = $4)
      AND ($5::text IS NULL OR run_id = $5)
      AND ($6::text IS NULL OR reason = $6)
    ORDER BY redriven_at NULLS FIRST, seq, id LIMIT $3::int FOR UPDATE SKIP LOCKED
  ), chosen AS (
    SELECT id FROM (
      SELECT id, bytes, sum(bytes) OVER (ORDER BY redriven_at NULLS FIRST, seq, id) AS total FROM free
    ) AS summed WHERE total <= ${CLAIMED_BYTES} OR total = bytes
  ), claimed AS (
    UPDATE firehose.dead_events AS d SET redriven_at = to_timestamp($2::bigint / 1000.0)
    FROM chosen WHERE d.id = chosen.id
    RETURNING d.id, d.run_id, d.seq, d.reason, d.event
  )
  SELECT id, run_id, reason, encode(event, 'base64') FROM claimed ORDER BY seq, id`;

const COUNT_UNTRIABLE = `
  SELECT count(*) FROM firehose.dead_events
  WHERE event IS NULL AND applied_at IS NULL AND ($1::text IS NULL OR run_id = $1) AND ($2::text IS NULL OR reason = $2)`;

/** As isFailedRepository() has it. */
const FAILED_REPOSITORIES = `
  SELECT id, run_id, did FROM firehose.dead_events
  WHERE event IS NULL AND applied_at IS NULL AND seq = 0 AND path IS NULL AND did IS NOT NULL
    AND ($2::text IS NULL OR run_id = $2) AND ($3::text IS NULL OR reason = $3)
  ORDER BY did, id LIMIT $1::int`;

const HAND_OVER = `
  UPDATE firehose.dead_events SET redriven_at = now(), applied_at = now(), applied_by = '${BY_RESYNC}'
  WHERE id IN (SELECT value::uuid FROM json_array_elements_text($1::json)) AND applied_at IS NULL`;

const MARK = `
  UPDATE firehose.dead_events SET applied_at = coalesce(applied_at, now()), applied_by = $2
  WHERE id IN (SELECT value::uuid FROM json_array_elements_text($1::json)) AND coalesce(applied_by, $2) = $2`;

const STILL_DEAD = `
  SELECT reason, count(*) FROM firehose.dead_events
  WHERE id IN (SELECT value::uuid FROM json_array_elements_text($1::json)) AND applied_by IS DISTINCT FROM $2
  GROUP BY reason`;

/** One connection, opened at the first call. */
export function openDeadEvents(options: Omit<DatabaseOptions, "poolSize">): DeadEvents {
  const database = openDatabase({ ...options, poolSize: 1 });
  const rows = async (statement: Statement) => {
    try {
      return await database.use([statement], async (_session, [result]) => result?.rows ?? []);
    } catch (error) {
      throw toSinkError(error);
    }
  };
  return {
    async claim({ sinceMs, nowMs, limit, id: only = null, runId: ofRun = null, reason: why = null }) {
      const values = [String(sinceMs), String(nowMs), String(limit), only, ofRun, why];
      const claimed = await rows({ sql: CLAIM, values });
      return claimed.flatMap(([id, runId, reason, event]): ClaimedEvent[] => {
        const decoded = decodeEvent(Buffer.from(event ?? "", "base64"));
        return decoded === null ? [] : [{ id: id ?? "", runId: runId ?? "", reason: reason ?? "", event: decoded }];
      });
    },
    async countUntriable({ runId, reason } = {}) {
      const [row] = await rows({ sql: COUNT_UNTRIABLE, values: [runId ?? null, reason ?? null] });
      return Number(row?.[0] ?? 0);
    },
    list: (wanted) => listDead(database, wanted),
    countByReason: (runId) => countDead(database, runId),
    discard: (which) => discardDead(database, which),
    async failedRepositories({ limit, runId, reason }) {
      const found = await rows({ sql: FAILED_REPOSITORIES, values: [String(limit), runId ?? null, reason ?? null] });
      return found.map(([id, ofRun, did]) => ({ id: id ?? "", runId: ofRun ?? "", did: did ?? "" }));
    },
    async handOver(ids) {
      await rows({ sql: HAND_OVER, values: [JSON.stringify(ids)] });
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const STILL_KEPT = `
  SELECT id FROM firehose.dead_events WHERE id IN (SELECT value::uuid FROM json_array_elements_text($1::json))
  ORDER BY id FOR UPDATE`;

/**
 * Whether the dead event at this place of the batch still exists. If it was discarded after the redrive sent it, it is not
 * applied. The rows stay locked until the batch's transaction ends, so none can be discarded while it is being applied.
 */
export async function keptPlaces(session: Session, ids: readonly string[]): Promise<(place: number) => boolean> {
  const [kept] = await session.run([{ sql: STILL_KEPT, values: [JSON.stringify(ids)] }]);
  const there = new Set((kept?.rows ?? []).map(([id]) => id));
  return (place) => there.has(ids[place] ?? "");
}

/** The reason for an event whose row was discarded. The run still counts it as dead. */
const DISCARDED = "discarded";

/** Run after the rows themselves, in their transaction: `applied` are the ids of the events that the database accepted. */
export function redriveStatements(redrive: Redrive, applied: readonly string[]): readonly [Statement, Statement] {
  return [
    { sql: MARK, values: [JSON.stringify(applied), redrive.batch] },
    { sql: STILL_DEAD, values: [JSON.stringify(redrive.ids), redrive.batch] },
  ];
}

/** The result of redriveStatements(): how many of the `sent` events this batch has applied, and why the others are still dead. */
export function redriveResult(
  results: readonly StatementResult[],
  sent: number,
): {
  readonly revived: number;
  readonly deadReasons: Readonly<Record<string, number>>;
} {
  const [marked, dead] = results;
  const revived = marked?.count ?? 0;
  const reasons = (dead?.rows ?? []).map(([reason, count]) => [reason ?? "", Number(count)] as const);
  const gone = sent - revived - reasons.reduce((sum, [, count]) => sum + count, 0);
  return { revived, deadReasons: { ...Object.fromEntries(reasons), ...(gone > 0 ? { [DISCARDED]: gone } : {}) } };
}
