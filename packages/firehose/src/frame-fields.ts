/** Fields that several kinds of message share. A field of the wrong type is a fault of the frame, not of the CBOR. */
import { type CborCursor, MAJOR } from "./cbor-cursor.ts";
import { parseDatetime } from "./datetime.ts";
import type { FrameFault } from "./frame-types.ts";
import { isDid, isTid } from "./syntax.ts";

/** Filled in while a payload is read; `check` says at the end what is wrong with it. */
export interface CommonFields {
  /** 0: missing or not a positive integer. */
  seq: number;
  timeMs: number;
  did: string;
  /** The first thing that was wrong. */
  fault: FrameFault | null;
}

export function newFields(): CommonFields {
  return { seq: 0, timeMs: Number.NaN, did: "", fault: null };
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

/** Text, or null and a fault. `null` itself is a fault too: see `readOptionalText`. */
export function readText(cursor: CborCursor, fields: CommonFields, name: string): string {
  if (cursor.major() === MAJOR.text) return cursor.text();
  cursor.skip();
  fault(fields, "bad-field", `${name} is not text`);
  return "";
}

/** Text, or null where it is absent, null or (with a fault) anything else. */
export function readOptionalText(cursor: CborCursor, fields: CommonFields, name: string): string | null {
  return cursor.takeNull() ? null : readText(cursor, fields, name);
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

/** What every message must have; `rev` null: this kind has none. */
export function checkFields(fields: CommonFields, rev: string | null): void {
  if (fields.fault !== null) return;
  if (!isDid(fields.did)) fault(fields, "bad-did", "the repository is not named by a DID");
  else if (rev !== null && !isTid(rev)) fault(fields, "bad-rev", "rev is not a TID");
  else if (Number.isNaN(fields.timeMs)) fault(fields, "bad-time", "time is not an RFC 3339 time");
}
