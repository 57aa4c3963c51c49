/**
 * How a batch lies in CBOR, version 1: arrays in a fixed order, integers, byte strings; record bytes as they came.
 * Pure data in, pure data out. A change of the order is a new version: messages of the old one are in the queue
 * while a deploy goes on.
 */
import type { Batch } from "@firehose-backfill/core/batch";
import type { MessageValue } from "@firehose-backfill/core/cbor/encode";
import type { FirehoseEvent, RecordAction } from "@firehose-backfill/core/event";
import { FieldReader, LayoutError } from "./field-reader.ts";

const KIND = { record: 0, account: 1, identity: 2, sync: 3, dead: 4 } as const;
const ACTIONS: readonly RecordAction[] = ["create", "update", "delete"];

export function layOutBatch(batch: Batch): MessageValue {
  const { key } = batch;
  return [
    key.runId,
    key.epoch,
    key.window,
    key.fence,
    key.number,
    batch.dueMs,
    batch.paceEpoch,
    batch.events.map(layOutEvent),
  ];
}

/** @throws LayoutError for anything that layOutBatch() would not have made. */
export function readBatch(value: unknown): Batch {
  const fields = new FieldReader("batch", value, 8);
  return {
    key: {
      runId: fields.text(),
      epoch: fields.integer(),
      window: fields.integer(),
      fence: fields.integer(),
      number: fields.integer(),
    },
    dueMs: fields.number(),
    paceEpoch: fields.integer(),
    events: fields.list().map(readEvent),
  };
}

function layOutEvent(event: FirehoseEvent): MessageValue {
  const { kind, seq, timeMs, did } = event;
  switch (kind) {
    case "record":
      return [
        KIND.record,
        seq,
        timeMs,
        did,
        ACTIONS.indexOf(event.action),
        event.collection,
        event.rkey,
        event.rev,
        event.cid,
        event.record,
      ];
    case "account":
      return [KIND.account, seq, timeMs, did, event.active, event.status];
    case "identity":
      return [KIND.identity, seq, timeMs, did, event.handle];
    case "sync":
      return [KIND.sync, seq, timeMs, did, event.rev];
    case "dead":
      return [
        KIND.dead,
        seq,
        timeMs,
        did,
        wellFormed(event.path),
        event.reason,
        event.error.toWellFormed(),
        event.payload,
      ];
    default: {
      const unreachable: never = kind;
      throw new LayoutError(`unknown kind of event ${String(unreachable)}`);
    }
  }
}

/** Texts that were cut for display may end in half of a pair, which CBOR has no way to write. */
function wellFormed(text: string | null): string | null {
  return text === null ? null : text.toWellFormed();
}

function readEvent(value: unknown): FirehoseEvent {
  const fields = new FieldReader("event", value);
  const kind = fields.integer();
  const at = { seq: fields.integer(), timeMs: fields.number() };
  switch (kind) {
    case KIND.record: {
      const did = fields.text();
      const action = ACTIONS[fields.integer()];
      if (action === undefined) throw new LayoutError("unknown action of a record event");
      const [collection, rkey, rev] = [fields.text(), fields.text(), fields.text()];
      const [cid, record] = [fields.bytesOrNull(), fields.bytesOrNull()];
      return fields.end({ kind: "record", ...at, did, action, collection, rkey, rev, cid, record });
    }
    case KIND.account:
      return fields.end({
        kind: "account",
        ...at,
        did: fields.text(),
        active: fields.boolean(),
        status: fields.textOrNull(),
      });
    case KIND.identity:
      return fields.end({ kind: "identity", ...at, did: fields.text(), handle: fields.textOrNull() });
    case KIND.sync:
      return fields.end({ kind: "sync", ...at, did: fields.text(), rev: fields.text() });
    case KIND.dead: {
      const [did, path, reason, error] = [fields.textOrNull(), fields.textOrNull(), fields.text(), fields.text()];
      return fields.end({ kind: "dead", ...at, did, path, reason, error, payload: fields.bytes() });
    }
    default:
      throw new LayoutError(`unknown kind of event ${kind}`);
  }
}
