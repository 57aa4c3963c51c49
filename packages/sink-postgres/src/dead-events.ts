/**
 * Writes events that cannot be applied. A batch that is applied again writes the same rows. dead-list.ts reads them for the
 * operator; redriven.ts tries them again.
 */
import { createHash } from "node:crypto";
import { encodeEvent } from "@firehose-backfill/core/cbor/event-layout";
import { CborError } from "@firehose-backfill/core/cbor/refusal";
import { deadEntry, MAX_DEAD_PAYLOAD_BYTES } from "@firehose-backfill/core/dead-entry";
import type { DataRow } from "./request.ts";
import type { Statement } from "./pipeline.ts";
import type { StatementError } from "./sink-error.ts";
import type { DeadRow } from "@firehose-backfill/sink/rows";

/** The error is the same each time that the frame is read. */
const BAD_FRAME = "bad-frame";

const INSERT = `
  INSERT INTO firehose.dead_events (id, run_id, seq, did, path, reason, error, payload, event, created_at)
  SELECT x.id, x.run_id, x.seq, x.did, x.path, x.reason, x.error, decode(x.payload, 'base64'), decode(x.event, 'base64'),
         now()
  FROM json_to_recordset($1::json)
    AS x(id uuid, run_id text, seq bigint, did text, path text, reason text, error text, payload text, event text)
  ORDER BY x.id
  ON CONFLICT (id) DO NOTHING`;

/** It must not fail because of the rows' content, because it stores what could not be stored elsewhere. */
export function deadStatement(runId: string, rows: readonly DeadRow[]): Statement {
  const input = new Map(
    rows.map((row) => {
      const id = deadEventId(runId, row);
      const { did, path, reason, error } = row;
      const seq = Number.isSafeInteger(row.seq) ? row.seq : 0;
      const payload = Buffer.from(row.payload).subarray(0, MAX_DEAD_PAYLOAD_BYTES).toString("base64");
      const text = {
        run_id: runId,
        did: storable(did),
        path: storable(path),
        reason: storable(reason),
        error: storable(error),
      };
      const event = keptEvent(row);
      return [id, { id, seq, payload, event, ...text }];
    }),
  );
  return { sql: INSERT, values: [JSON.stringify([...input.values()])] };
}

/** null: there is no payload, or the payload itself cannot be written. */
function keptEvent({ event }: DeadRow): string | null {
  if (event === undefined) return null;
  try {
    return Buffer.from(encodeEvent(event)).toString("base64");
  } catch (error) {
    if (error instanceof CborError) return null;
    throw error;
  }
}

/** Makes a dead event of a row that the database refused. */
export function refusedRow(row: DataRow, error: StatementError): DeadRow {
  // For a marker, the row is the event. For a record, the row shows what was refused, and a redrive tries the event.
  const { event, ...shown } =
    row.kind === "record" ? row : row.kind === "range" ? { ...row, event: undefined } : { ...row, event: row };
  return deadEntry({
    did: row.did,
    // Rows from a repository have no sequence number.
    seq: row.kind === "range" ? 0 : (row.seq ?? 0),
    timeMs: row.timeMs,
    path: row.kind === "record" ? `${row.collection}/${row.rkey}` : null,
    reason: `database-${error.sqlState}`,
    error: error.message,
    payload: Buffer.from(JSON.stringify(shown)),
    ...(event === undefined ? {} : { event }),
  });
}

/**
 * A digest in the form of a UUID (version 8). It replaces a unique index over these columns, whose values may have any length.
 * The payload is part of it, because several broken frames may be at one position. Only the beginning of a broken frame is
 * stored, and the error contains the digest of the whole frame.
 */
function deadEventId(runId: string, { seq, did, path, reason, error, payload }: DeadRow): string {
  const arrived = createHash("sha256").update(payload.subarray(0, MAX_DEAD_PAYLOAD_BYTES)).digest("hex");
  const digest = createHash("sha256")
    .update(JSON.stringify([runId, seq, did, path, reason, arrived, reason === BAD_FRAME ? error : null]))
    .digest();
  digest.writeUInt8(((digest[6] ?? 0) & 0x0f) | 0x80, 6);
  digest.writeUInt8(((digest[8] ?? 0) & 0x3f) | 0x80, 8);
  const hex = digest.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

/** Postgres stores neither NUL nor half a surrogate pair. */
function storable(text: string): string;
function storable(text: string | null): string | null;
function storable(text: string | null): string | null {
  return text === null ? null : text.toWellFormed().replaceAll("\0", "\u{FFFD}");
}
