/** Reads the fields that several kinds of message share. A field of the wrong type is a fault of the frame, and the CBOR is still valid. */
import { type CborCursor, MAJOR } from "@firehose-backfill/core/cbor/cursor";
import { parseDatetime } from "@firehose-backfill/core/datetime";
import type { CommitFrame, FrameFault, MessageFrame, SyncFrame } from "./frame-types.ts";
import { isDid, isTid } from "@firehose-backfill/core/syntax";

const NO_DID = "the repository is not named by a DID";
const NO_REV = "rev is not a TID";

export function readSeq(cursor: CborCursor, fields: MessageFrame): void {
  if (cursor.major() === MAJOR.uint) fields.seq = cursor.uint();
  else cursor.skip();
}

export function readTime(cursor: CborCursor, fields: MessageFrame): void {
  if (cursor.major() !== MAJOR.text) {
    cursor.skip();
    return;
  }
  const start = cursor.range(MAJOR.text);
  fields.timeMs = parseDatetime(cursor.bytes, start, cursor.pos);
}

/** A text that is not a DID is kept, and the frame gets a fault. */
export function readDid(cursor: CborCursor, fields: MessageFrame, name: string): void {
  if (cursor.major() !== MAJOR.text) {
    skipWrongType(cursor, fields, name);
    return;
  }
  const { bytes } = cursor;
  const start = cursor.range(MAJOR.text);
  if (isDid(bytes, start, cursor.pos)) {
    fields.didStart = start;
    fields.didEnd = cursor.pos;
  } else {
    fields.did = cursor.textAt(start, cursor.pos);
    fault(fields, "bad-did", NO_DID);
  }
}

/** A text that is not a TID is kept, and the frame gets a fault. */
export function readRev(cursor: CborCursor, fields: CommitFrame | SyncFrame): void {
  if (cursor.major() !== MAJOR.text) {
    skipWrongType(cursor, fields, "rev");
    return;
  }
  const { bytes } = cursor;
  const start = cursor.range(MAJOR.text);
  if (isTid(bytes, start, cursor.pos)) {
    fields.revStart = start;
    fields.revEnd = cursor.pos;
  } else {
    fields.rev = cursor.textAt(start, cursor.pos);
    fault(fields, "bad-rev", NO_REV);
  }
}

/** The text. null: the field is null. Any other type gives an empty text and a fault. */
export function readOptionalText(cursor: CborCursor, fields: MessageFrame, name: string): string | null {
  if (cursor.takeNull()) return null;
  if (cursor.major() === MAJOR.text) return cursor.text();
  skipWrongType(cursor, fields, name);
  return "";
}

function skipWrongType(cursor: CborCursor, fields: MessageFrame, name: string): void {
  cursor.skip();
  fault(fields, "bad-field", `${name} is not text`);
}

/** Moves behind the byte string and returns where it starts. -1, with a fault: it is not a byte string. A longer one than `maxBytes` is a fault. */
export function readBlocks(cursor: CborCursor, fields: MessageFrame, maxBytes: number): number {
  if (cursor.major() !== MAJOR.bytes) {
    cursor.skip();
    fault(fields, "bad-field", "blocks are not bytes");
    return -1;
  }
  const start = cursor.range(MAJOR.bytes);
  const length = cursor.pos - start;
  if (length > maxBytes)
    fault(fields, "blocks-too-large", `blocks of ${length} bytes; at most ${maxBytes} are allowed`);
  return start;
}

export function fault(fields: MessageFrame, reason: FrameFault["reason"], error: string): void {
  fields.fault ??= { reason, error };
}

/** Adds a fault if a field is missing that every message must have. */
export function checkFields(fields: MessageFrame): void {
  if (fields.didStart === -1) fault(fields, "bad-did", NO_DID);
  else if ("revStart" in fields && fields.revStart === -1) fault(fields, "bad-rev", NO_REV);
  else if (Number.isNaN(fields.timeMs)) fault(fields, "bad-time", "time is not an RFC 3339 time");
}
