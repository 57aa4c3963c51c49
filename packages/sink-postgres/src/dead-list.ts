/** Counts, lists and discards dead events for the operator. */
import { decodeEvent, EVENT_VERSION } from "@firehose-backfill/core/cbor/event-layout";
import type { DeadEvent, DeadFilter, ListDeadOptions } from "@firehose-backfill/sink/dead-events";
import type { Database } from "./connection.ts";
import type { Statement } from "./pipeline.ts";
import { toSinkError } from "./sink-error.ts";

/** Counts the events that are still dead by reason, the most frequent first. Without `runId`: of all runs. @throws SinkError */
export async function countDead(database: Database, runId?: string): Promise<Readonly<Record<string, number>>> {
  const sql = `SELECT reason, count(*) FROM firehose.dead_events
    WHERE ($1::text IS NULL OR run_id = $1) AND applied_at IS NULL GROUP BY reason ORDER BY 2 DESC, 1`;
  const rows = await read(database, { sql, values: [runId ?? null] });
  return Object.fromEntries(rows.map(([reason, count]) => [reason ?? "", Number(count)]));
}

/** The conditions of a filter. Their values are the first three parameters. */
const IS_CHOSEN =
  "($1::uuid IS NULL OR id = $1) AND ($2::text IS NULL OR run_id = $2) AND ($3::text IS NULL OR reason = $3)";

function filterValues({ id, runId, reason }: DeadFilter): readonly (string | null)[] {
  return [id ?? null, runId ?? null, reason ?? null];
}

const time = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** A run's id begins with the time of its start, so the newest run sorts last. */
const LIST = `
  SELECT id, run_id, seq, did, path, reason, error, encode(payload, 'base64'), ${time("created_at")}, ${time("redriven_at")},
         ${time("applied_at")}, applied_by, octet_length(event),
         CASE WHEN octet_length(event) <= $4::bigint THEN encode(event, 'base64') END
  FROM firehose.dead_events
  WHERE ${IS_CHOSEN} AND ($5::boolean OR applied_at IS NULL)
    AND ($6::text IS NULL OR run_id < $6 OR (run_id = $6 AND (seq, id) > ($7::bigint, $8::uuid)))
  ORDER BY run_id DESC, seq, id LIMIT $9::bigint`;

/** A position above every event. */
const ANY_SIZE = 2 ** 40;

/** Lists the newest run first, and within a run in the order of the stream. @throws SinkError */
export async function listDead(database: Database, options: ListDeadOptions): Promise<readonly DeadEvent[]> {
  const { after } = options;
  const rows = await read(database, {
    sql: LIST,
    values: [
      ...filterValues(options),
      String(options.maxEventBytes ?? ANY_SIZE),
      String(options.withApplied ?? false),
      after?.runId ?? null,
      after === undefined ? null : String(after.seq),
      after?.id ?? null,
      String(options.limit),
    ],
  });
  return rows.map((row) => {
    const [
      id,
      runId,
      seq,
      did,
      path,
      reason,
      error,
      payload,
      createdAt,
      redrivenAt,
      appliedAt,
      appliedBy,
      bytes,
      event,
    ] = row;
    return {
      id: id ?? "",
      runId: runId ?? "",
      seq: Number(seq),
      did: did ?? null,
      path: path ?? null,
      reason: reason ?? "",
      error: error ?? "",
      payload: Uint8Array.from(Buffer.from(payload ?? "", "base64")),
      createdAt: createdAt ?? "",
      redrivenAt: redrivenAt ?? null,
      appliedAt: appliedAt ?? null,
      appliedBy: appliedBy ?? null,
      eventBytes: bytes === null || bytes === undefined ? null : Number(bytes),
      event: event === null || event === undefined ? null : readEvent(Buffer.from(event, "base64")),
    };
  });
}

/** null: a newer program wrote it, and this one cannot read it. */
function readEvent(bytes: Buffer): DeadEvent["event"] {
  return (bytes[0] ?? 0) <= EVENT_VERSION ? decodeEvent(bytes) : null;
}

const DISCARDED_AT_ONCE = 5_000;

/** SKIP LOCKED: if a batch is applying one of them at this moment, that batch decides the result. */
const DISCARD = `
  WITH gone AS (
    DELETE FROM firehose.dead_events WHERE id IN (
      SELECT id FROM firehose.dead_events WHERE ${IS_CHOSEN} AND applied_at IS NULL
      LIMIT ${DISCARDED_AT_ONCE} FOR UPDATE SKIP LOCKED)
    RETURNING run_id)
  SELECT run_id, count(*) FROM gone GROUP BY run_id`;

/** Uses one transaction for each few thousand. Returns how many were discarded of each run. @throws SinkError */
export async function discardDead(database: Database, which: DeadFilter): Promise<Readonly<Record<string, number>>> {
  const gone = new Map<string, number>();
  for (;;) {
    let some = 0;
    for (const [runId, count] of await read(database, { sql: DISCARD, values: [...filterValues(which)] })) {
      some += Number(count);
      gone.set(runId ?? "", (gone.get(runId ?? "") ?? 0) + Number(count));
    }
    if (some < DISCARDED_AT_ONCE) return Object.fromEntries(gone);
  }
}

async function read(database: Database, statement: Statement): Promise<readonly (readonly (string | null)[])[]> {
  try {
    return await database.use([statement], async (_session, [result]) => result?.rows ?? []);
  } catch (error) {
    throw toSinkError(error);
  }
}
