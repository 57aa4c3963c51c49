/** Reads the first of the two items of a frame, which says what kind of message follows. */
import { CborError } from "@firehose-backfill/core/cbor/refusal";
import { type CborCursor, MAJOR } from "@firehose-backfill/core/cbor/cursor";
import { FIRST_KEY, keyTable } from "@firehose-backfill/core/cbor/key-table";

export type MessageType = "#commit" | "#sync" | "#identity" | "#account" | "#info";

export type FrameHeader =
  | { readonly kind: "message"; readonly type: MessageType }
  | { readonly kind: "error" }
  | { readonly kind: "unknown"; readonly type: string };

const ERROR: FrameHeader = { kind: "error" };
const MESSAGES: readonly { readonly bytes: Buffer; readonly header: FrameHeader }[] = (
  ["#commit", "#identity", "#account", "#sync", "#info"] as const
).map((type) => ({ bytes: headerBytes(type), header: { kind: "message", type } }));

const KEY = { t: 0, op: 1 } as const;
const KEYS = keyTable(KEY);

/** Reads the header and leaves the cursor at the payload. @throws CborError */
export function readHeader(cursor: CborCursor): FrameHeader {
  // Nearly all frames begin with one of five constant byte strings.
  for (const { bytes, header } of MESSAGES) {
    if (startsWith(cursor, bytes)) {
      cursor.pos += bytes.length;
      return header;
    }
  }
  return readAnyHeader(cursor);
}

function readAnyHeader(cursor: CborCursor): FrameHeader {
  let type: string | null = null;
  let op: number | null = null;
  let key = FIRST_KEY;
  for (let left = cursor.count(MAJOR.map); left > 0; left--) {
    key = cursor.key(KEYS, key);
    if (key === KEY.t && cursor.major() === MAJOR.text) type = cursor.text();
    else if (key === KEY.op) op = readOp(cursor);
    else cursor.skip();
  }
  if (op === -1) return ERROR;
  if (op !== 1) return { kind: "unknown", type: `op ${op ?? "missing"}` };
  return (
    MESSAGES.find(({ header }) => header.kind === "message" && header.type === type)?.header ?? {
      kind: "unknown",
      type: type ?? "t missing",
    }
  );
}

/** null: it is neither an unsigned integer nor -1. */
function readOp(cursor: CborCursor): number | null {
  const start = cursor.pos;
  const major = cursor.major();
  if (major === MAJOR.uint) return cursor.uint();
  cursor.skip();
  const byte = cursor.bytes[start];
  return major === MAJOR.negative && byte === 0x20 ? -1 : null;
}

function startsWith(cursor: CborCursor, prefix: Buffer): boolean {
  const { bytes, pos } = cursor;
  if (cursor.end - pos < prefix.length) return false;
  // Compares from the end, because the names of the types differ most there.
  for (let at = prefix.length - 1; at >= 0; at--) {
    if (bytes[pos + at] !== prefix[at]) return false;
  }
  return true;
}

/** `{t: type, op: 1}` */
function headerBytes(type: MessageType): Buffer {
  if (type.length >= 24) throw new CborError("non-minimal");
  return Buffer.concat([
    Buffer.from([0xa2, 0x61, 0x74, 0x60 + type.length]),
    Buffer.from(type, "latin1"),
    Buffer.from([0x62, 0x6f, 0x70, 0x01]),
  ]);
}
