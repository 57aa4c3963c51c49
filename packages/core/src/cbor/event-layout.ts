/**
 * How an event is encoded in CBOR, version 1: an array in a fixed order of integers and byte strings; record bytes are unchanged.
 * This is pure. A change of the order needs a new version, because events in the old order are in the queue and among the dead
 * events during a deploy.
 */
import { type FirehoseEvent, HANDLE_CHECKS, type RecordAction } from "../event.ts";
import { decodeMessage, encodeMessage, type MessageValue } from "./encode.ts";
import { FieldReader, LayoutError } from "./field-reader.ts";

/** A number that this version does not use, but a newer program may: a kind of event, or an action. */
export class NewerKindError extends LayoutError {}

/** The first byte of an event that is stored alone. */
export const EVENT_VERSION = 1;

const KIND = { record: 0, account: 1, identity: 2, sync: 3, dead: 4, range: 5, link: 6, checkedHandle: 7 } as const;
const LAST_KIND = Math.max(...Object.values(KIND));
const ACTIONS: readonly RecordAction[] = ["create", "update", "delete"];

/** How a record event begins: an array of ten, and its kind. */
export const RECORD_START = [0x8a, KIND.record] as const;

export function actionNumber(action: RecordAction): number {
  return ACTIONS.indexOf(action);
}

/** Encodes an event to store it alone: version, then CBOR. @throws CborError for one that could not be read back */
export function encodeEvent(event: FirehoseEvent): Uint8Array {
  return Buffer.concat([Uint8Array.of(EVENT_VERSION), encodeMessage(layOutEvent(event))]);
}

/**
 * null: a newer program wrote it, with another version or an unknown kind of event.
 * @throws LayoutError or CborError for anything that encodeEvent() would not have written
 */
export function decodeEvent(bytes: Uint8Array): FirehoseEvent | null {
  const [version] = bytes;
  if (version !== undefined && version > EVENT_VERSION) return null;
  const value = decodeMessage(bytes.subarray(1));
  try {
    return readEvent(value);
  } catch (error) {
    if (error instanceof NewerKindError) return null;
    throw error;
  }
}

export function layOutEvent(event: FirehoseEvent): MessageValue {
  const { kind, seq, timeMs, did } = event;
  switch (kind) {
    case "record":
      return [
        KIND.record,
        seq,
        timeMs,
        did,
        actionNumber(event.action),
        event.collection,
        event.rkey,
        event.rev,
        event.cid,
        event.record,
      ];
    case "account":
      return [KIND.account, seq, timeMs, did, event.active, event.status];
    case "identity":
      // A kind of its own: a program that does not know of checks leaves the batch, and does not lose them.
      return event.check === undefined
        ? [KIND.identity, seq, timeMs, did, event.handle]
        : [KIND.checkedHandle, seq, timeMs, did, event.handle, HANDLE_CHECKS.indexOf(event.check)];
    case "sync":
      return [KIND.sync, seq, timeMs, did, event.rev];
    case "link":
      return [KIND.link, seq, timeMs, did, event.rev, event.since, event.prevData, event.data, event.isSync];
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
        // The last field exists only if the event can be tried again, so that most dead entries keep the old form.
        ...(event.event === undefined ? [] : [layOutEvent(event.event)]),
      ];
    case "range": {
      const { rev, collection, from, to, sinceTid, records } = event;
      return [KIND.range, seq, timeMs, did, rev, collection, from, to, sinceTid, records];
    }
    default: {
      const unreachable: never = kind;
      throw new LayoutError(`unknown kind of event ${String(unreachable)}`);
    }
  }
}

/** A text that was cut for display may end in half of a surrogate pair, which CBOR cannot encode. */
function wellFormed(text: string | null): string | null {
  return text === null ? null : text.toWellFormed();
}

/** @throws LayoutError for anything that layOutEvent() would not have written; NewerKindError if a newer version might have. */
export function readEvent(value: unknown): FirehoseEvent {
  const fields = new FieldReader("event", value);
  const kind = fields.integer();
  // Of an event of a newer kind we know nothing else, not even the meaning of its next field.
  if (kind > LAST_KIND) throw new NewerKindError(`event is of kind ${kind}`);
  const at = { seq: fields.integer(), timeMs: fields.number() };
  switch (kind) {
    case KIND.record: {
      const did = fields.text();
      const number = fields.integer();
      if (number >= ACTIONS.length) throw new NewerKindError(`event is a record's action ${number}`);
      const action = ACTIONS[number];
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
    case KIND.checkedHandle: {
      const [did, handle, number] = [fields.text(), fields.textOrNull(), fields.integer()];
      const check = HANDLE_CHECKS[number];
      if (check === undefined) throw new NewerKindError(`event is a handle's check ${number}`);
      return fields.end({ kind: "identity", ...at, did, handle, check });
    }
    case KIND.sync:
      return fields.end({ kind: "sync", ...at, did: fields.text(), rev: fields.text() });
    case KIND.link:
      return fields.end({
        kind: "link",
        ...at,
        did: fields.text(),
        rev: fields.text(),
        since: fields.textOrNull(),
        prevData: fields.bytesOrNull(),
        data: fields.bytes(),
        isSync: fields.boolean(),
      });
    case KIND.dead: {
      const [did, path, reason, error] = [fields.textOrNull(), fields.textOrNull(), fields.text(), fields.text()];
      const payload = fields.bytes();
      const event = fields.isAtEnd ? undefined : readEvent(fields.list());
      if (event?.kind === "dead" || event?.kind === "range")
        throw new LayoutError(`a dead entry cannot hold an event of the kind ${event.kind}`);
      return fields.end({
        kind: "dead",
        ...at,
        did,
        path,
        reason,
        error,
        payload,
        ...(event === undefined ? {} : { event }),
      });
    }
    case KIND.range:
      return fields.end({
        kind: "range",
        ...at,
        did: fields.text(),
        rev: fields.text(),
        collection: fields.textOrNull(),
        from: fields.text(),
        to: fields.text(),
        sinceTid: fields.textOrNull(),
        records: fields.integer(),
      });
    default:
      throw new LayoutError(`unknown kind of event ${kind}`);
  }
}
