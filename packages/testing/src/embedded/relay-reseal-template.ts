/** A recorded frame that is prepared for repetition: the offsets of everything that changes from copy to copy. */
import {
  cidAt,
  contentAt,
  eventsIn,
  type FrameMap,
  mapFrame,
  mapOf,
  type Span,
  textAt,
} from "@firehose-backfill/embedded/relay-frame";

export interface Template {
  /** As recorded, except that seq always takes nine bytes, so that nothing moves when it grows. */
  readonly bytes: Uint8Array;
  readonly seq: number;
  readonly timeMs: number;
  readonly did: string;
  readonly events: number;
  /** Offsets of contents, without CBOR heads. */
  readonly seqAt: number;
  readonly timeAt: number;
  readonly didAt: readonly number[];
  /** Every rev and since: its offset and its microseconds. */
  readonly tids: readonly { readonly at: number; readonly micros: number }[];
  /** The signed block to hash, and the offset of its CID's digest. null for a marker without one. */
  readonly commit: (Span & { readonly digestAt: readonly number[] }) | null;
}

/** A TID is 11 characters of microseconds and 2 of a clock's id. */
export const TID_TIME_CHARS = 11;

const MAJOR_TEXT = 3;
const CID_BYTES = 36;
/** Version, codec, hash function and length are before the digest. */
const CID_PREFIX_BYTES = 4;
const SEQ_BYTES = 9;

/** @throws RangeError for a frame without seq, time or account, or with an inconsistent CAR */
export function prepareTemplate(recorded: Uint8Array): Template {
  const { bytes, seq } = widenSeq(recorded);
  const map = mapFrame(bytes);
  const didSpan = map.fields.get("repo") ?? needed(map, "did");
  const did = textAt(bytes, didSpan);
  const time = needed(map, "time");
  const didAt = [offsetOf(bytes, didSpan)];
  const tidSpans = [map.fields.get("rev"), map.fields.get("since")].filter((span) => span !== undefined);
  const blocks = map.fields.get("blocks");
  let commit: Template["commit"] = null;
  if (blocks !== undefined) {
    const car = findCommit(bytes, contentAt(bytes, blocks));
    const field = map.fields.get("commit");
    const block = mapOf(bytes, car.start).fields;
    const [blockDid, blockRev] = [block.get("did"), block.get("rev")];
    if (blockDid === undefined || textAt(bytes, blockDid) !== did) throw new RangeError("a commit of another account");
    if (blockRev === undefined) throw new RangeError("a commit without rev");
    didAt.push(offsetOf(bytes, blockDid));
    tidSpans.push(blockRev);
    const cids = field === undefined ? car.cidAt : [...car.cidAt, cidOffset(bytes, field)];
    commit = { start: car.start, end: car.end, digestAt: cids.map((at) => at + CID_PREFIX_BYTES) };
  }
  return {
    bytes,
    seq,
    timeMs: Date.parse(textAt(bytes, time)),
    did,
    events: eventsIn(bytes),
    seqAt: needed(map, "seq").start + 1,
    timeAt: offsetOf(bytes, time),
    didAt,
    // `since` is null in a first commit.
    tids: tidSpans.filter((span) => isText(bytes, span)).map((span) => tidAt(bytes, span)),
    commit,
  };
}

function widenSeq(recorded: Uint8Array): { bytes: Uint8Array; seq: number } {
  const span = needed(mapFrame(recorded), "seq");
  const seq = readUnsigned(recorded, span);
  const value = Buffer.alloc(SEQ_BYTES);
  value[0] = 0x1b;
  value.writeBigUInt64BE(BigInt(seq), 1);
  return { bytes: Buffer.concat([recorded.subarray(0, span.start), value, recorded.subarray(span.end)]), seq };
}

function readUnsigned(bytes: Uint8Array, { start, end }: Span): number {
  const first = bytes[start] ?? 0;
  if (first >> 5 !== 0) throw new RangeError("seq is not a positive integer");
  if (end - start === 1) return first;
  return Number(BigInt(`0x${Buffer.from(bytes.subarray(start + 1, end)).toString("hex")}`));
}

/** The root's block in a CARv1, and the two places where the CAR names it. `car` is a view into `bytes`. */
function findCommit(bytes: Uint8Array, car: Uint8Array): Span & { readonly cidAt: readonly number[] } {
  const base = car.byteOffset - bytes.byteOffset;
  const header = readVarint(bytes, base);
  const roots = mapOf(bytes, header.end).fields.get("roots");
  if (roots === undefined || bytes[roots.start] !== 0x81) throw new RangeError("a CAR without its one root");
  const rootAt = cidOffset(bytes, { start: roots.start + 1, end: roots.end });
  const root = Buffer.from(bytes.subarray(rootAt, rootAt + CID_BYTES));
  for (let at = header.end + header.value; at < base + car.length;) {
    const section = readVarint(bytes, at);
    at = section.end + section.value;
    if (root.equals(bytes.subarray(section.end, section.end + CID_BYTES))) {
      return { start: section.end + CID_BYTES, end: at, cidAt: [rootAt, section.end] };
    }
  }
  throw new RangeError("a CAR without its root block");
}

function readVarint(bytes: Uint8Array, offset: number): { value: number; end: number } {
  let value = 0;
  for (let at = offset, scale = 1; ; at += 1, scale *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: at + 1 };
  }
}

const SORTABLE_BASE32 = "234567abcdefghijklmnopqrstuvwxyz";

function tidAt(bytes: Uint8Array, span: Span): { at: number; micros: number } {
  let micros = 0;
  for (const char of textAt(bytes, span).slice(0, TID_TIME_CHARS)) micros = micros * 32 + SORTABLE_BASE32.indexOf(char);
  return { at: offsetOf(bytes, span), micros };
}

function cidOffset(bytes: Uint8Array, span: Span): number {
  const cid = cidAt(bytes, span);
  if (cid?.length !== CID_BYTES) throw new RangeError("not a CID");
  return cid.byteOffset - bytes.byteOffset;
}

function offsetOf(bytes: Uint8Array, span: Span): number {
  return contentAt(bytes, span, MAJOR_TEXT).byteOffset - bytes.byteOffset;
}

function isText(bytes: Uint8Array, span: Span): boolean {
  return (bytes[span.start] ?? 0) >> 5 === MAJOR_TEXT;
}

function needed(map: FrameMap, name: string): Span {
  const span = map.fields.get(name);
  if (span === undefined) throw new RangeError(`a frame without ${name}`);
  return span;
}
