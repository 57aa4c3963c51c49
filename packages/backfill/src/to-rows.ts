/** Events of a batch as rows for the sink: each record verified, scanned, decoded. An event that fails becomes a dead row; nothing is thrown. */
import { BadRecordError } from "@firehose-backfill/core/cbor/decode-record";
import { recordText } from "@firehose-backfill/core/cbor/record-text";
import { isTooFarAhead } from "@firehose-backfill/core/believed-time";
import { cidToText, hashMatches } from "@firehose-backfill/core/cid";
import { aboutEvent, deadEntry } from "@firehose-backfill/core/dead-entry";
import type { VerifyLevel } from "@firehose-backfill/core/config/settings";
import type { FirehoseEvent, RangeEvent, RecordEvent } from "@firehose-backfill/core/event";
import { type EventGroup, groupEvents, keyOf } from "@firehose-backfill/core/proved-range";
import { tidTimeMs } from "@firehose-backfill/core/tid";
import type { DeadRow, RecordRow, SinkRow } from "@firehose-backfill/sink/rows";

/** `nowMs`: left out, every revision is believed. @throws LayoutError for a range whose records are not those that follow it */
export function toRows(events: readonly FirehoseEvent[], verify: VerifyLevel, nowMs = Infinity): readonly SinkRow[] {
  const rows: SinkRow[] = [];
  for (const group of groupEvents(events)) {
    if (group.kind === "single") rows.push(toRow(group.event, verify, nowMs));
    else rows.push(...rangeRows(group, verify, nowMs));
  }
  return rows;
}

/**
 * A record that is dead is there all the same: its key is among those that are not deleted. Of a revision that is not believed
 * nothing is applied, neither what is there nor what is not.
 */
export function* rangeRows(
  { range, members }: Extract<EventGroup, { readonly kind: "range" }>,
  verify: VerifyLevel,
  nowMs = Infinity,
): Generator<SinkRow, void, undefined> {
  const { did, rev, timeMs, collection, from, to, sinceTid } = range;
  const keys = members.map(keyOf).filter((key) => key !== null);
  if (!isRevAhead(range, nowMs)) yield { kind: "range", did, rev, timeMs, collection, from, to, sinceTid, keys };
  else if (members.length === 0) yield revAhead(range);
  for (const member of members) yield toRow(member, verify, nowMs);
}

/** `nowMs`: left out, every revision is believed. */
export function toRow(event: Exclude<FirehoseEvent, RangeEvent>, verify: VerifyLevel, nowMs = Infinity): SinkRow {
  switch (event.kind) {
    case "record":
      return isRevAhead(event, nowMs) ? revAhead(event) : recordRow(event, verify);
    case "sync":
    case "link":
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

type Revised = Extract<FirehoseEvent, { readonly kind: "record" | "sync" | "link" | "range" }>;

function revAhead(event: Revised): DeadRow {
  const { rev } = event;
  const at = new Date(tidTimeMs(rev) ?? 0).toISOString();
  return dead(
    event,
    "rev-ahead",
    `the revision ${rev} says ${at}, more than 5 minutes ahead: stored, it would hide all that comes after it until then; redrive applies it once that time is near`,
  );
}

function recordRow(event: RecordEvent, verify: VerifyLevel): RecordRow | DeadRow {
  const { action, did, collection, rkey, rev, seq, timeMs, cid, record } = event;
  const key = { action, did, collection, rkey, rev, seq: seq === 0 ? null : seq, timeMs, event };
  if (action === "delete") return { kind: "record", ...key, cid: null, json: null };
  if (cid === null || record === null)
    return dead(event, "missing-block", "the commit did not carry this record's block");
  if (verify !== "structure" && !hashMatches(cid, record))
    return dead(event, "hash-mismatch", `the record's bytes do not have the hash that ${cidToText(cid)} says`);
  try {
    return { kind: "record", ...key, cid: cidToText(cid), json: recordText(record) };
  } catch (error) {
    if (error instanceof BadRecordError) return dead(event, error.reason, error.message);
    throw error;
  }
}

/** Keeps the whole event: should the rule change, it can be redriven. A range without its records is nothing to apply. */
function dead(event: Revised, reason: string, error: string): DeadRow {
  return deadEntry({ ...aboutEvent(event), reason, error, ...(event.kind === "range" ? {} : { event }) });
}
