/**
 * A forward cursor over strict DAG-CBOR. It hands out offsets and numbers, never objects; what nobody asks for is
 * checked and passed by core's strict scan. It knows CBOR, and nothing of frames or commits.
 * Every method throws CborError where the bytes are not what DAG-CBOR allows.
 */
import { CborError, refusalOf } from "@firehose-backfill/core/cbor/refusal";
import { type ScanRules, scanItem } from "@firehose-backfill/core/cbor/strict-scan";
import { isValidUtf8 } from "@firehose-backfill/core/cbor/utf8";
import { CID_LENGTH, isCid } from "@firehose-backfill/core/cid";

export const MAJOR = { uint: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5 } as const;

/** Fields that we do not know may hold what records may not. */
const ENVELOPE_RULES: ScanRules = { sortedKeys: true, cids: true, floats: true };

const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;

export class CborCursor {
  readonly bytes: Buffer;
  readonly end: number;
  pos: number;

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

  /** Reads text or bytes, stands after it, and returns where it starts. */
  range(major: typeof MAJOR.text | typeof MAJOR.bytes): number {
    const length = this.#head(major, major === MAJOR.text ? "key-type" : "bad-cid");
    const start = this.pos;
    if (length > this.end - start) throw new CborError("truncated");
    this.pos = start + length;
    return start;
  }

  /**
   * Reads a map key, stands after it, and returns where it starts. The key before it is given by its offsets
   * (-1: none): keys must rise by length, then bytes, which also rules out doubles.
   */
  key(previousStart: number, previousEnd: number): number {
    const start = this.range(MAJOR.text);
    if (previousStart >= 0) this.#checkOrder(previousStart, previousEnd, start, this.pos);
    return start;
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
      return bytes.toString("utf8", start, end);
    }
    return bytes.toString("latin1", start, end);
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

  /** Reads a boolean if one is next; null: something else is. */
  takeBoolean(): boolean | null {
    const byte = this.pos < this.end ? this.bytes[this.pos] : undefined;
    if (byte !== TRUE && byte !== FALSE) return null;
    this.pos++;
    return byte === TRUE;
  }

  /** Stands after the next item, whatever it is, having checked all of it. */
  skip(): void {
    const after = scanItem(this.bytes, this.pos, this.end, ENVELOPE_RULES);
    if (after < 0) throw new CborError(refusalOf(after));
    this.pos = after;
  }

  /** The argument of the next head, which must be of this major type, or it is refused as `otherwise`. */
  #head(major: number, otherwise: CborError["reason"]): number {
    if (this.pos >= this.end) throw new CborError("truncated");
    const first = this.bytes[this.pos++] ?? 0;
    if (first >> 5 !== major) throw new CborError(otherwise);
    const info = first & 0x1f;
    return info < 24 ? info : this.#longArgument(info);
  }

  #longArgument(info: number): number {
    if (info > 27) throw new CborError(info === 31 ? "indefinite-length" : "reserved");
    const { bytes, pos } = this;
    const size = 1 << (info - 24);
    if (size > this.end - pos) throw new CborError("truncated");
    this.pos = pos + size;
    const value =
      size < 8 ? bytes.readUIntBE(pos, size) : bytes.readUInt32BE(pos) * 2 ** 32 + bytes.readUInt32BE(pos + 4);
    const smallest = size === 1 ? 24 : 2 ** (size * 4);
    if (value < smallest) throw new CborError("non-minimal");
    if (value > Number.MAX_SAFE_INTEGER) throw new CborError("integer-range");
    return value;
  }

  #checkOrder(leftStart: number, leftEnd: number, rightStart: number, rightEnd: number): void {
    const lengths = rightEnd - rightStart - (leftEnd - leftStart);
    if (lengths > 0) return;
    if (lengths < 0) throw new CborError("key-order");
    const { bytes } = this;
    for (let at = 0; at < leftEnd - leftStart; at++) {
      const difference = (bytes[rightStart + at] ?? 0) - (bytes[leftStart + at] ?? 0);
      if (difference > 0) return;
      if (difference < 0) throw new CborError("key-order");
    }
    throw new CborError("duplicate-key");
  }
}
