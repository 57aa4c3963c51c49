/**
 * The messages of Postgres' extended query protocol, for all statements of one round trip, in one piece of memory. The driver's own
 * writer encodes UTF-8 in JavaScript, knows no binary arrays, and sends each message by itself.
 *
 * A list is sent as a `text[]` in the binary format: each value is written as it is, after its length. In a JSON text, or in the text
 * format of arrays, each value would be escaped, and a record, which is a JSON text itself, would be escaped twice.
 * https://www.postgresql.org/docs/18/protocol-message-formats.html
 */

/** A text, which Postgres reads as the parameter's type, or a `text[]`. */
export type Value = string | null | readonly (string | null)[];

export interface WireStatement {
  readonly sql: string;
  readonly values: readonly Value[];
  /** Of a prepared statement. Empty: it is parsed for this execution only. */
  readonly name: string;
  /** The server has parsed it before, under that name. */
  readonly isParsed: boolean;
  /** 0: all. */
  readonly maxRows: number;
  /** Describe it, and do not execute it. */
  readonly describeOnly: boolean;
}

const BIND = 0x42;
const CLOSE = 0x43;
const DESCRIBE = 0x44;
const EXECUTE = 0x45;
const PARSE = 0x50;
const SYNC = 0x53;
const OF_PORTAL = 0x50;
const OF_STATEMENT = 0x53;

const AS_TEXT = 0;
const AS_BINARY = 1;
const TEXT_OID = 25;
const NULL_LENGTH = -1;
const LENGTH_BYTES = 4;

/**
 * Stands for a text with half a surrogate pair, which UTF-8 does not have. Postgres refuses it (22021), as it refuses such an escape in
 * a JSON text. Node would write another character and say nothing.
 */
const NO_UTF8 = 0xff;
const MOST_UTF8_BYTES = 3;

/** Shorter texts of ASCII are copied here, because calling Node takes longer. */
const SHORT = 48;

/** Memory that is used again for the next round trip. If a round trip needs more, the larger memory is not kept. */
const KEPT_BYTES = 1024 * 1024;
let kept: Buffer | null = null;

/** All statements, and a Sync at the end. The result shares no memory with what comes later. */
export function writeRoundTrip(statements: readonly WireStatement[]): Uint8Array {
  kept ??= Buffer.allocUnsafeSlow(KEPT_BYTES);
  const writer = new Writer(kept);
  for (const statement of statements) writeStatement(writer, statement);
  writer.begin(SYNC);
  writer.end();
  return writer.result();
}

function writeStatement(to: Writer, { sql, values, name, isParsed, maxRows, describeOnly }: WireStatement): void {
  if (!isParsed) {
    if (name !== "") {
      // A session of the server that a pooler gives us may have it already; to close what is not there is no error.
      to.begin(CLOSE);
      to.byte(OF_STATEMENT);
      to.zeroEnded(name);
      to.end();
    }
    to.begin(PARSE);
    to.zeroEnded(name);
    to.zeroEnded(sql);
    // No types are given: Postgres infers them.
    to.int16(0);
    to.end();
  }
  to.begin(BIND);
  to.zeroEnded("");
  to.zeroEnded(name);
  to.int16(values.length);
  for (const value of values) to.int16(isList(value) ? AS_BINARY : AS_TEXT);
  to.int16(values.length);
  for (const value of values) {
    if (isList(value)) to.list(value);
    else to.item(value);
  }
  // All columns of the result come as text.
  to.int16(1);
  to.int16(AS_TEXT);
  to.end();
  if (describeOnly) {
    to.begin(DESCRIBE);
    to.byte(OF_PORTAL);
    to.zeroEnded("");
  } else {
    to.begin(EXECUTE);
    to.zeroEnded("");
    to.int32(maxRows);
  }
  to.end();
}

/** Array.isArray alone does not tell a readonly array from other values. */
function isList(value: Value): value is readonly (string | null)[] {
  return Array.isArray(value);
}

/** Writes one value after the other, into memory that grows. */
class Writer {
  #bytes: Buffer;
  #at = 0;
  /** Where the length of the open message is. */
  #lengthAt = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  begin(message: number): void {
    this.byte(message);
    this.#lengthAt = this.#at;
    this.int32(0);
  }

  /** The length of a message counts itself, and not the letter before it. */
  end(): void {
    this.#bytes.writeInt32BE(this.#at - this.#lengthAt, this.#lengthAt);
  }

  byte(value: number): void {
    this.#makeRoom(1);
    this.#bytes[this.#at++] = value;
  }

  int16(value: number): void {
    this.#makeRoom(2);
    this.#at = this.#bytes.writeInt16BE(value, this.#at);
  }

  int32(value: number): void {
    this.#makeRoom(4);
    this.#at = this.#bytes.writeInt32BE(value, this.#at);
  }

  zeroEnded(text: string): void {
    this.#utf8(text);
    this.byte(0);
  }

  /** One dimension, its first index is 1. */
  list(items: readonly (string | null)[]): void {
    const lengthAt = this.#at;
    this.int32(0);
    this.int32(1);
    this.int32(items.includes(null) ? 1 : 0);
    this.int32(TEXT_OID);
    this.int32(items.length);
    this.int32(1);
    for (const item of items) this.item(item);
    this.#bytes.writeInt32BE(this.#at - lengthAt - LENGTH_BYTES, lengthAt);
  }

  item(text: string | null): void {
    if (text === null) {
      this.int32(NULL_LENGTH);
      return;
    }
    const lengthAt = this.#at;
    this.int32(0);
    this.#utf8(text);
    this.#bytes.writeInt32BE(this.#at - lengthAt - LENGTH_BYTES, lengthAt);
  }

  result(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#at));
  }

  #utf8(text: string): void {
    this.#makeRoom(text.length * MOST_UTF8_BYTES);
    if (text.length < SHORT && this.#ascii(text)) return;
    if (text.isWellFormed()) this.#at += this.#bytes.write(text, this.#at);
    else this.byte(NO_UTF8);
  }

  /** False: it has other characters, and nothing is written. */
  #ascii(text: string): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    let seen = 0;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      seen |= unit;
      bytes[at + index] = unit;
    }
    if (seen > 0x7f) return false;
    this.#at = at + text.length;
    return true;
  }

  #makeRoom(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
