/**
 * The parts of a frame that a relay needs to serve it: the offsets of its payload's fields, and its sequence number.
 * Only for frames of our own fixtures; packages/firehose has the strict reader for the network.
 */

/** A range of bytes, end excluded. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface FrameMap {
  /** `#commit`, `#account`, ...; null for an error frame. */
  readonly kind: string | null;
  /** The offsets of each value of the payload, its CBOR head included. */
  readonly fields: ReadonlyMap<string, Span>;
}

const MAJOR_BYTES = 2;
const MAJOR_TEXT = 3;
const MAJOR_ARRAY = 4;
const MAJOR_MAP = 5;
const MAJOR_TAG = 6;

const decoder = new TextDecoder("utf-8", { fatal: true });

/** @throws RangeError if the frame is not two CBOR maps */
export function mapFrame(frame: Uint8Array): FrameMap {
  const header = mapOf(frame, 0);
  const payload = mapOf(frame, header.end);
  if (payload.end !== frame.length) throw new RangeError("bytes after the payload");
  const kind = header.fields.get("t");
  return { kind: kind === undefined ? null : textAt(frame, kind), fields: payload.fields };
}

/** The frame's sequence number; null for one without (`#info`, errors). */
export function seqOf(frame: Uint8Array): number | null {
  const span = mapFrame(frame).fields.get("seq");
  return span === undefined ? null : headAt(frame, span.start).argument;
}

/** Record operations of a commit; 1 for a marker; 0 for any other frame. */
export function eventsIn(frame: Uint8Array): number {
  const { kind, fields } = mapFrame(frame);
  if (kind === "#account" || kind === "#identity" || kind === "#sync") return 1;
  const ops = kind === "#commit" ? fields.get("ops") : undefined;
  return ops === undefined ? 0 : headAt(frame, ops.start).argument;
}

/** Fields of the map that begins at `offset`, and where it ends. */
export function mapOf(bytes: Uint8Array, offset: number): { fields: Map<string, Span>; end: number } {
  const head = headAt(bytes, offset);
  if (head.major !== MAJOR_MAP) throw new RangeError(`no map at ${offset}`);
  const fields = new Map<string, Span>();
  let at = head.end;
  for (let pair = 0; pair < head.argument; pair += 1) {
    const keyEnd = skipItem(bytes, at);
    const key = textAt(bytes, { start: at, end: keyEnd });
    at = skipItem(bytes, keyEnd);
    fields.set(key, { start: keyEnd, end: at });
  }
  return { fields, end: at };
}

export function textAt(bytes: Uint8Array, span: Span): string {
  return decoder.decode(contentAt(bytes, span, MAJOR_TEXT));
}

/** The content of a byte string or a text, without its head, as a view. */
export function contentAt(bytes: Uint8Array, span: Span, major: number = MAJOR_BYTES): Uint8Array {
  const head = headAt(bytes, span.start);
  if (head.major !== major) throw new RangeError(`major type ${head.major} at ${span.start}, not ${major}`);
  return bytes.subarray(head.end, span.end);
}

/** The 36 bytes of a CID (tag 42 over 0x00 and the CID), as a view; null if the value is null. */
export function cidAt(bytes: Uint8Array, span: Span): Uint8Array | null {
  const tag = headAt(bytes, span.start);
  if (tag.major !== MAJOR_TAG) return null;
  return contentAt(bytes, { start: tag.end, end: span.end }).subarray(1);
}

/** `{op: -1}` and the reason. The server closes the connection after it. */
export function encodeErrorFrame(error: string, message: string): Uint8Array {
  return Buffer.concat([Buffer.from([0xa1, 0x62, 0x6f, 0x70, 0x20]), encodeTexts({ error, message })]);
}

/** `#info` carries no seq. */
export function encodeInfoFrame(name: string, message: string): Uint8Array {
  const header = Buffer.concat([
    Buffer.from([0xa2]),
    encodeText("t"),
    encodeText("#info"),
    encodeText("op"),
    Buffer.from([1]),
  ]);
  return Buffer.concat([header, encodeTexts({ name, message })]);
}

/** Keys must come in DAG-CBOR order: shorter first, then by bytes. */
function encodeTexts(texts: Readonly<Record<string, string>>): Uint8Array {
  const entries = Object.entries(texts);
  return Buffer.concat([Buffer.from([0xa0 | entries.length]), ...entries.flatMap((entry) => entry.map(encodeText))]);
}

function encodeText(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  if (bytes.length > 0xff) throw new RangeError("longer than a server ever says");
  return Buffer.concat([Buffer.from(bytes.length < 24 ? [0x60 | bytes.length] : [0x78, bytes.length]), bytes]);
}

interface Head {
  readonly major: number;
  /** Value of an integer, length of a text, entries of a map... */
  readonly argument: number;
  readonly end: number;
}

function headAt(bytes: Uint8Array, offset: number): Head {
  const first = byteAt(bytes, offset);
  const major = first >> 5;
  const short = first & 0x1f;
  if (short < 24) return { major, argument: short, end: offset + 1 };
  if (short > 27) throw new RangeError(`no definite length at ${offset}`);
  const width = 2 ** (short - 24);
  let argument = 0;
  for (let i = 1; i <= width; i += 1) argument = argument * 256 + byteAt(bytes, offset + i);
  return { major, argument, end: offset + 1 + width };
}

function skipItem(bytes: Uint8Array, offset: number): number {
  let at = offset;
  for (let left = 1; left > 0; left -= 1) {
    const { major, argument, end } = headAt(bytes, at);
    at = major === MAJOR_BYTES || major === MAJOR_TEXT ? end + argument : end;
    if (major === MAJOR_ARRAY) left += argument;
    if (major === MAJOR_MAP) left += argument * 2;
    if (major === MAJOR_TAG) left += 1;
  }
  if (at > bytes.length) throw new RangeError("cut short");
  return at;
}

function byteAt(bytes: Uint8Array, offset: number): number {
  const byte = bytes[offset];
  if (byte === undefined) throw new RangeError("cut short");
  return byte;
}
