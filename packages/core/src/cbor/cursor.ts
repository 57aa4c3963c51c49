/**
 * Reads strict DAG-CBOR from front to back. It returns offsets and numbers, never objects; items that the caller does not want are
 * checked and skipped by the strict scan. It knows CBOR only, not frames or commits.
 * Every method throws CborError if the bytes are not what DAG-CBOR allows.
 */
import { headLength, readArgument } from "./head.ts";
import { CborError, type CborRefusal, refusalOf } from "./refusal.ts";
import { type ScanRules, scanItem } from "./strict-scan.ts";
import { asciiText, utf8Text } from "./text.ts";
import { isValidUtf8 } from "./utf8.ts";
import { CID_LENGTH, isCid } from "../cid.ts";
import type { KeyTable } from "./key-table.ts";

export const MAJOR = { uint: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5 } as const;

/** Fields that we do not know may contain what records may not. */
const ENVELOPE_RULES: ScanRules = { sortedKeys: true, cids: true, floats: true };

const EMPTY_ARRAY = 0x80;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;

export class CborCursor {
  bytes: Buffer;
  pos: number;
  end: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.pos = start;
    this.end = end;
  }

  /** Major type of the next item. */
  major(): number {
    if (this.pos >= this.end) throw new CborError("truncated");
    return (this.bytes[this.pos] ?? 0) >> 5;
  }

  /** Reads the head of an array or a map and returns how many entries follow. */
  count(major: typeof MAJOR.array | typeof MAJOR.map): number {
    return this.#head(major, major === MAJOR.map ? "not-a-map" : "reserved");
  }

  /** A number from 0 to 2^53 - 1. */
  uint(): number {
    return this.#head(MAJOR.uint, "integer-range");
  }

  /** Reads text or bytes, moves past it, and returns where it starts. */
  range(major: typeof MAJOR.text | typeof MAJOR.bytes): number {
    const length = this.#head(major, major === MAJOR.text ? "key-type" : "bad-cid");
    const start = this.pos;
    if (length > this.end - start) throw new CborError("truncated");
    this.pos = start + length;
    return start;
  }

  /**
   * Reads a map key, moves past it, and returns its id in `keys`; for an unknown key, a number above all ids. `previous` is the
   * result for the key before (or FIRST_KEY): keys must ascend by length, then bytes, so a duplicate is
   * refused, too.
   */
  key(keys: KeyTable, previous: number): number {
    const { encoded } = keys;
    // The table has the order of known keys. Most maps hold only known keys, so no head is read and no keys are compared.
    for (let id = previous + 1; id < encoded.length; id++) {
      const known = encoded[id];
      if (known !== undefined && this.take(known)) return id;
    }
    return this.#otherKey(encoded, previous);
  }

  /** Moves past these bytes if they are next. */
  take(expected: Uint8Array): boolean {
    const { bytes, pos } = this;
    const { length } = expected;
    if (length > this.end - pos) return false;
    for (let at = 0; at < length; at++) {
      if (bytes[pos + at] !== expected[at]) return false;
    }
    this.pos = pos + length;
    return true;
  }

  text(): string {
    const start = this.range(MAJOR.text);
    return this.textAt(start, this.pos);
  }

  /** The text between two offsets; it must be UTF-8. */
  textAt(start: number, end: number): string {
    const { bytes } = this;
    for (let at = start; at < end; at++) {
      if ((bytes[at] ?? 0) < 0x80) continue;
      if (!isValidUtf8(bytes, start, end)) throw new CborError("invalid-utf8");
      return utf8Text(bytes, start, end);
    }
    return asciiText(bytes, start, end);
  }

  /** Reads a link (tag 42 over a zero and a CID) and returns where its 36 bytes start. */
  cid(): number {
    const { bytes, pos } = this;
    const start = pos + 5;
    if (start + CID_LENGTH > this.end) throw new CborError("bad-cid");
    const isLink =
      bytes[pos] === 0xd8 && bytes[pos + 1] === 42 && bytes[pos + 2] === 0x58 && bytes[pos + 3] === CID_LENGTH + 1;
    if (!isLink || bytes[pos + 4] !== 0 || !isCid(bytes, start)) throw new CborError("bad-cid");
    this.pos = start + CID_LENGTH;
    return start;
  }

  /** Reads `null` if it is next. */
  takeNull(): boolean {
    if (this.pos >= this.end || this.bytes[this.pos] !== NULL) return false;
    this.pos++;
    return true;
  }

  /** Reads a boolean if one is next; null: the next item is something else. */
  takeBoolean(): boolean | null {
    const byte = this.pos < this.end ? this.bytes[this.pos] : undefined;
    if (byte !== TRUE && byte !== FALSE) return null;
    this.pos++;
    return byte === TRUE;
  }

  /** Checks the next item, whatever it is, and moves past it. */
  skip(): void {
    const { bytes, pos } = this;
    // Most fields that we skip hold an empty array, false, true or null.
    const byte = pos < this.end ? bytes[pos] : undefined;
    if (byte === EMPTY_ARRAY || byte === FALSE || byte === TRUE || byte === NULL) {
      this.pos = pos + 1;
      return;
    }
    const after = scanItem(bytes, pos, this.end, ENVELOPE_RULES);
    if (after < 0) throw new CborError(refusalOf(after));
    this.pos = after;
  }

  /** The argument of the next head. If its major type is another one, it is refused as `otherwise`. */
  #head(major: number, otherwise: CborRefusal): number {
    const { bytes, pos, end } = this;
    if (pos >= end) throw new CborError("truncated");
    const initial = bytes[pos] ?? 0;
    if (initial >> 5 !== major) throw new CborError(otherwise);
    const value = readArgument(bytes, pos, end);
    if (value < 0) throw new CborError(refusalOf(value));
    if (value > Number.MAX_SAFE_INTEGER) throw new CborError("integer-range");
    this.pos = pos + headLength(initial);
    return value;
  }

  /**
   * A key that is not in the table, or that follows such a key. The result is the number of known keys plus its position, so
   * that the next key can be compared with it.
   */
  #otherKey(encoded: KeyTable["encoded"], previous: number): number {
    const { bytes, pos: at } = this;
    const start = this.range(MAJOR.text);
    if (!isValidUtf8(bytes, start, this.pos)) throw new CborError("invalid-utf8");
    const length = this.pos - at;
    if (previous >= encoded.length) checkOrder(bytes, previous - encoded.length, bytes, at, length);
    else if (previous >= 0) checkOrder(encoded[previous] ?? bytes, 0, bytes, at, length);
    const id = encoded.findIndex((known) => compareKeys(known, 0, bytes, at, length) === 0);
    return id === -1 ? encoded.length + at : id;
  }
}

function checkOrder(left: Uint8Array, leftAt: number, right: Uint8Array, rightAt: number, length: number): void {
  const order = compareKeys(left, leftAt, right, rightAt, length);
  if (order >= 0) throw new CborError(order === 0 ? "duplicate-key" : "key-order");
}

/**
 * Below 0: the left key comes first. Comparing the encoded heads with the texts is safe: heads are minimal, so a shorter text has the
 * smaller head. `length` is that of the right key, including its head.
 */
function compareKeys(left: Uint8Array, leftAt: number, right: Uint8Array, rightAt: number, length: number): number {
  for (let index = 0; index < length; index++) {
    const difference = (left[leftAt + index] ?? 0) - (right[rightAt + index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
