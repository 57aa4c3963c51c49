/**
 * Reads one frame of com.atproto.sync.subscribeRepos. A frame is two concatenated items of strict DAG-CBOR, header and payload.
 * Records are not read here, and CARs are not opened.
 */
import { CborError } from "@firehose-backfill/core/cbor/refusal";
import { CborCursor, MAJOR } from "@firehose-backfill/core/cbor/cursor";
import { type FrameHeader, readHeader } from "./frame-header.ts";
import { readCommit } from "./frame-commit.ts";
import { readAccount, readIdentity, readSync } from "./frame-markers.ts";
import { type Frame, MAX_FRAME_BYTES } from "./frame-types.ts";
import { FIRST_KEY, keyTable } from "@firehose-backfill/core/cbor/key-table";
import { parseDatetime } from "@firehose-backfill/core/datetime";

const NOTHING = Buffer.alloc(0);
/**
 * There is one cursor for all frames. A new one for each frame would cost little, but a full garbage collection that finds none
 * alive throws away the code that was compiled for it.
 */
const cursor = new CborCursor(NOTHING, 0, 0);

/** Never throws: a frame that cannot be read is returned as `broken`. Takes time in proportion to the length at most. */
export function readFrame(frame: Uint8Array): Frame {
  if (frame.length > MAX_FRAME_BYTES) return { kind: "broken", reason: `larger than ${MAX_FRAME_BYTES} bytes` };
  cursor.bytes = Buffer.isBuffer(frame) ? frame : Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  cursor.pos = 0;
  cursor.end = frame.length;
  try {
    const header = readHeader(cursor);
    if (cursor.pos === cursor.end) return { kind: "broken", reason: "one item instead of two" };
    const result = readPayload(header);
    if (cursor.pos !== cursor.end) return { kind: "broken", reason: "more than two items" };
    return result;
  } catch (error) {
    if (error instanceof CborError) return { kind: "broken", reason: error.reason };
    throw error;
  } finally {
    cursor.bytes = NOTHING;
  }
}

function readPayload(header: FrameHeader): Frame {
  switch (header.kind) {
    case "error": {
      const { first, message } = readTexts(ERROR_KEYS);
      return { kind: "error", error: first, message };
    }
    case "unknown":
      return readUnknown(header.type);
    case "message":
      break;
  }
  switch (header.type) {
    case "#commit":
      return readCommit(cursor);
    case "#sync":
      return readSync(cursor);
    case "#identity":
      return readIdentity(cursor);
    case "#account":
      return readAccount(cursor);
    case "#info": {
      const { first, message } = readTexts(INFO_KEYS);
      return { kind: "info", name: first, message };
    }
    default: {
      const unreachable: never = header;
      return unreachable;
    }
  }
}

const TEXT_KEY = { first: 0, message: 1 } as const;
const ERROR_KEYS = keyTable({ error: TEXT_KEY.first, message: TEXT_KEY.message });
const INFO_KEYS = keyTable({ name: TEXT_KEY.first, message: TEXT_KEY.message });

/** Reads `{error, message?}` or `{name, message?}`. A field that is missing or not a text is returned as an empty text. */
function readTexts(keys: typeof ERROR_KEYS): { first: string; message: string } {
  let first = "";
  let message = "";
  let key = FIRST_KEY;
  for (let left = cursor.count(MAJOR.map); left > 0; left--) {
    key = cursor.key(keys, key);
    if (cursor.major() !== MAJOR.text) cursor.skip();
    else if (key === TEXT_KEY.first) first = cursor.text();
    else if (key === TEXT_KEY.message) message = cursor.text();
    else cursor.skip();
  }
  return { first, message };
}

const UNKNOWN_KEY = { seq: 0, time: 1 } as const;
const UNKNOWN_KEYS = keyTable(UNKNOWN_KEY);

function readUnknown(type: string): Frame {
  let seq: number | null = null;
  let timeMs = Number.NaN;
  if (cursor.major() !== MAJOR.map) {
    cursor.skip();
    return { kind: "unknown", type, seq, timeMs };
  }
  let key = FIRST_KEY;
  for (let left = cursor.count(MAJOR.map); left > 0; left--) {
    key = cursor.key(UNKNOWN_KEYS, key);
    if (key === UNKNOWN_KEY.seq && cursor.major() === MAJOR.uint) {
      const value = cursor.uint();
      seq = value > 0 ? value : null;
    } else if (key === UNKNOWN_KEY.time && cursor.major() === MAJOR.text) {
      const start = cursor.range(MAJOR.text);
      timeMs = parseDatetime(cursor.bytes, start, cursor.pos);
    } else cursor.skip();
  }
  return { kind: "unknown", type, seq, timeMs };
}
