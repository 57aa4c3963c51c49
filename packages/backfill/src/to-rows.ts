/** Events of a batch as rows for the sink: each record verified, scanned, decoded. An event that fails becomes a dead row; nothing is thrown. */
import { BadRecordError, decodeRecord } from "@firehose-backfill/core/cbor/decode-record";
import { recordToJson } from "@firehose-backfill/core/cbor/record-json";
import { isTooFarAhead } from "@firehose-backfill/core/believed-time";
import { cidToText, hashMatches } from "@firehose-backfill/core/cid";
import type { VerifyLevel } from "@firehose-backfill/core/config/settings";
import type { FirehoseEvent, RangeEvent, RecordEvent } from "@firehose-backfill/core/event";
import { tidTimeMs } from "@firehose-backfill/core/tid";
import type { DeadRow, RecordRow, SinkRow } from "@firehose-backfill/sink/rows";

/** `nowMs`: left out, every revision is believed. */
export function toRows(events: readonly FirehoseEvent[], verify: VerifyLevel, nowMs = Infinity): readonly SinkRow[] {
  // Ranges themselves are not applied yet, only their records are.
  return events.flatMap((event) => (event.kind === "range" ? [] : [toRow(event, verify, nowMs)]));
}

/** `nowMs`: left out, every revision is believed. */
export function toRow(event: Exclude<FirehoseEvent, RangeEvent>, verify: VerifyLevel, nowMs = Infinity): SinkRow {
  switch (event.kind) {
    case "record":
      return isRevAhead(event, nowMs) ? revAhead(event) : recordRow(event, verify);
    case "sync":
      return isRevAhead(event, nowMs) ? revAhead(event) : event;
    case "account":
    case "identity":
    case "dead":
      return event;
    default: {
      const unreachable: never = event;
      return unreachable;
    }
  }
}

/** If it were stored, no later event could replace it before that time, and the time may be wrong. */
function isRevAhead({ rev }: Revised, nowMs: number): boolean {
  return isTooFarAhead(tidTimeMs(rev) ?? 0, nowMs);
}

type Revised = Extract<FirehoseEvent, { readonly kind: "record" | "sync" }>;

function revAhead(event: Revised): DeadRow {
  const { did, seq, timeMs, rev } = event;
  const at = new Date(tidTimeMs(rev) ?? 0).toISOString();
  return {
    kind: "dead",
    did,
    seq,
    timeMs,
    path: event.kind === "record" ? `${event.collection}/${event.rkey}` : null,
    reason: "rev-ahead",
    error: `the revision ${rev} says ${at}, more than 5 minutes ahead: stored, it would hide all that comes after it until then; redrive applies it once that time is near`,
    payload: (event.kind === "record" ? event.record : null) ?? new Uint8Array(),
    event,
  };
}

function recordRow(event: RecordEvent, verify: VerifyLevel): RecordRow | DeadRow {
  const { action, did, collection, rkey, rev, seq, timeMs, cid, record } = event;
  const key = { action, did, collection, rkey, rev, seq, timeMs, event };
  if (action === "delete") return { kind: "record", ...key, cid: null, json: null };
  if (cid === null || record === null)
    return dead(event, "missing-block", "the commit did not carry this record's block");
  if (verify !== "structure" && !hashMatches(cid, record))
    return dead(event, "hash-mismatch", `the record's bytes do not have the hash that ${cidToText(cid)} says`);
  try {
    return { kind: "record", ...key, cid: cidToText(cid), json: recordToJson(decodeRecord(record)) };
  } catch (error) {
    if (error instanceof BadRecordError) return dead(event, error.reason, error.message);
    throw error;
  }
}

/** Keeps the whole event: should the rule change, it can be redriven. */
function dead(event: RecordEvent, reason: string, error: string): DeadRow {
  const { did, seq, timeMs, collection, rkey, record } = event;
  return {
    kind: "dead",
    did,
    seq,
    timeMs,
    path: `${collection}/${rkey}`,
    reason,
    error,
    payload: record ?? new Uint8Array(),
    event,
  };
}
