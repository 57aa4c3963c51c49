/** Fields that several kinds of message share. A field of the wrong type is a fault of the frame, not of the CBOR. */
import { asciiText } from "@firehose-backfill/core/cbor/text";
import { type CborCursor, MAJOR } from "./cbor-cursor.ts";
import { parseDatetime } from "./datetime.ts";
import type { FrameFault } from "./frame-types.ts";
import { isDid, isTid } from "./syntax.ts";

const NO_DID = "the repository is not named by a DID";
const NO_REV = "rev is not a TID";

/** A frame while its payload is read. */
export type Mutable<Frame> = { -readonly [Field in keyof Frame]: Frame[Field] };

/** Filled in while a payload is read; `checkFields` says at the end what is wrong with it. */
export interface CommonFields {
  /** 0: missing or not a positive integer. */
  seq: number;
  timeMs: number;
  did: string;
  /** The first thing that was wrong. */
  fault: FrameFault | null;
}

export function readSeq(cursor: CborCursor, fields: CommonFields): void {
  if (cursor.major() === MAJOR.uint) fields.seq = cursor.uint();
  else cursor.skip();
}

export function readTime(cursor: CborCursor, fields: CommonFields): void {
  if (cursor.major() !== MAJOR.text) {
    cursor.skip();
    return;
  }
  const start = cursor.range(MAJOR.text);
  fields.timeMs = parseDatetime(cursor.bytes, start, cursor.pos);
}

/** What is no DID is kept, and a fault. */
export function readDid(cursor: CborCursor, fields: CommonFields, name: string): void {
  if (cursor.major() !== MAJOR.text) {
    skipWrongType(cursor, fields, name);
    return;
  }
  const { bytes } = cursor;
  const start = cursor.range(MAJOR.text);
  if (isDid(bytes, start, cursor.pos)) fields.did = asciiText(bytes, start, cursor.pos);
  else {
    fields.did = cursor.textAt(start, cursor.pos);
    fault(fields, "bad-did", NO_DID);
  }
}

/** What is no TID is kept, and a fault. */
export function readRev(cursor: CborCursor, fields: CommonFields & { rev: string }): void {
  if (cursor.major() !== MAJOR.text) {
    skipWrongType(cursor, fields, "rev");
    return;
  }
  const { bytes } = cursor;
  const start = cursor.range(MAJOR.text);
  if (isTid(bytes, start, cursor.pos)) fields.rev = asciiText(bytes, start, cursor.pos);
  else {
    fields.rev = cursor.textAt(start, cursor.pos);
    fault(fields, "bad-rev", NO_REV);
  }
}

/** Text, or null where it is absent, null or (with a fault) anything else. */
export function readOptionalText(cursor: CborCursor, fields: CommonFields, name: string): string | null {
  if (cursor.takeNull()) return null;
  if (cursor.major() === MAJOR.text) return cursor.text();
  skipWrongType(cursor, fields, name);
  return "";
}

function skipWrongType(cursor: CborCursor, fields: CommonFields, name: string): void {
  cursor.skip();
  fault(fields, "bad-field", `${name} is not text`);
}

/** Stands after the byte string and returns where it starts; -1 and a fault if it is none, or longer than `maxBytes`. */
export function readBlocks(cursor: CborCursor, fields: CommonFields, maxBytes: number): number {
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

export function fault(fields: CommonFields, reason: FrameFault["reason"], error: string): void {
  fields.fault ??= { reason, error };
}

/** What every message must have, and its fields have not complained of; `rev` null: this kind has none. */
export function checkFields(fields: CommonFields, rev: string | null): void {
  if (fields.did === "") fault(fields, "bad-did", NO_DID);
  else if (rev === "") fault(fields, "bad-rev", NO_REV);
  else if (Number.isNaN(fields.timeMs)) fault(fields, "bad-time", "time is not an RFC 3339 time");
}
