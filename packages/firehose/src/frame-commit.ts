/** Reads the payload of #commit. Operations are returned as offsets, because the filter skips most of them. */
import { CborError } from "@firehose-backfill/core/cbor/refusal";
import { isValidUtf8 } from "@firehose-backfill/core/cbor/utf8";
import { type CborCursor, MAJOR } from "@firehose-backfill/core/cbor/cursor";
import { checkFields, fault, readBlocks, readDid, readRev, readSeq, readTime } from "./frame-fields.ts";
import { NO_SEQ } from "./frame-markers.ts";
import { type BrokenFrame, CommitFrame, MAX_COMMIT_BLOCKS_BYTES, MAX_OPS, type OpSlice } from "./frame-types.ts";
import { FIRST_KEY, keyTable } from "@firehose-backfill/core/cbor/key-table";

// Fields that are not read have names, too, because a known key need not be compared with the key before it.
const KEY = {
  ops: 0,
  rev: 1,
  seq: 2,
  repo: 3,
  time: 4,
  blobs: 5,
  since: 6,
  blocks: 7,
  commit: 8,
  rebase: 9,
  tooBig: 10,
  prevData: 11,
} as const;
const KEYS = keyTable(KEY);

/** An operation while it is read. */
type OpFields = { -readonly [Field in keyof OpSlice]: OpSlice[Field] };

const OP_KEY = { cid: 0, path: 1, prev: 2, action: 3 } as const;
const OP_KEYS = keyTable(OP_KEY);

const SLASH = 0x2f;
const ACTIONS = ["create", "delete", "update"].map((action) => ({
  action,
  encoded: Buffer.from(`${String.fromCharCode(0x60 + action.length)}${action}`, "latin1"),
}));

/** @throws CborError */
export function readCommit(cursor: CborCursor): CommitFrame | BrokenFrame {
  // The fields are written into the frame one by one. Copying them all at the end would take a quarter of the time of a frame.
  const frame = new CommitFrame(cursor.bytes);
  let hasOps = false;
  let key = FIRST_KEY;
  for (let left = cursor.count(MAJOR.map); left > 0; left--) {
    key = cursor.key(KEYS, key);
    switch (key) {
      case KEY.ops:
        hasOps = readOps(cursor, frame);
        break;
      case KEY.rev:
        readRev(cursor, frame);
        break;
      case KEY.seq:
        readSeq(cursor, frame);
        break;
      case KEY.repo:
        readDid(cursor, frame, "repo");
        break;
      case KEY.time:
        readTime(cursor, frame);
        break;
      case KEY.blocks:
        frame.blocksStart = readBlocks(cursor, frame, MAX_COMMIT_BLOCKS_BYTES);
        frame.blocksEnd = cursor.pos;
        break;
      case KEY.commit:
        if (!cursor.takeNull()) frame.commit = cursor.cid();
        break;
      case KEY.tooBig:
        readTooBig(cursor, frame);
        break;
      case KEY.since:
        frame.since = cursor.pos;
        cursor.skip();
        break;
      case KEY.prevData:
        frame.prevData = cursor.pos;
        cursor.skip();
        break;
      default:
        // blobs, rebase, and fields that are not known yet.
        cursor.skip();
    }
  }
  if (frame.seq === 0) return NO_SEQ;
  if (!hasOps) fault(frame, "bad-field", "ops are missing");
  else if (frame.blocksStart === -1) fault(frame, "bad-field", "blocks are missing");
  else if (frame.commit === -1) fault(frame, "bad-field", "commit is missing");
  checkFields(frame);
  return frame;
}

function readTooBig(cursor: CborCursor, frame: CommitFrame): void {
  const isTooBig = cursor.takeBoolean();
  if (isTooBig === null) cursor.skip();
  else frame.isTooBig = isTooBig;
}

/** False: ops is not an array. */
function readOps(cursor: CborCursor, frame: CommitFrame): boolean {
  if (cursor.major() !== MAJOR.array) {
    cursor.skip();
    return false;
  }
  const count = cursor.count(MAJOR.array);
  if (count > MAX_OPS) fault(frame, "too-many-ops", `${count} operations; at most ${MAX_OPS} are allowed`);
  // Most commits have one operation, and V8 gives an empty array seventeen places at the first push.
  if (count === 1) frame.ops = [readOp(cursor)];
  else {
    const ops: OpSlice[] = [];
    for (let index = 0; index < count; index++) {
      if (index < MAX_OPS) ops.push(readOp(cursor));
      else cursor.skip();
    }
    frame.ops = ops;
  }
  return true;
}

function readOp(cursor: CborCursor): OpSlice {
  const op: OpFields = {
    start: cursor.pos,
    end: -1,
    action: null,
    pathStart: -1,
    pathEnd: -1,
    slash: -1,
    cid: -1,
  };
  if (cursor.major() !== MAJOR.map) cursor.skip();
  else readOpFields(cursor, op);
  op.end = cursor.pos;
  return op;
}

function readOpFields(cursor: CborCursor, op: OpFields): void {
  let key = FIRST_KEY;
  for (let left = cursor.count(MAJOR.map); left > 0; left--) {
    key = cursor.key(OP_KEYS, key);
    switch (key) {
      case OP_KEY.cid:
        if (!cursor.takeNull()) op.cid = cursor.cid();
        break;
      case OP_KEY.path:
        readPath(cursor, op);
        break;
      case OP_KEY.action:
        op.action = readAction(cursor);
        break;
      default:
        cursor.skip();
    }
  }
}

function readPath(cursor: CborCursor, op: OpFields): void {
  if (cursor.major() !== MAJOR.text) {
    cursor.skip();
    return;
  }
  const { bytes } = cursor;
  op.pathStart = cursor.range(MAJOR.text);
  op.pathEnd = cursor.pos;
  let seenBits = 0;
  for (let at = op.pathStart; at < op.pathEnd; at++) {
    const byte = bytes[at] ?? 0;
    seenBits |= byte;
    if (byte === SLASH && op.slash === -1) op.slash = at;
  }
  if (seenBits > 0x7f && !isValidUtf8(bytes, op.pathStart, op.pathEnd)) throw new CborError("invalid-utf8");
}

/** No new text is made for one of the three usual actions. */
function readAction(cursor: CborCursor): string | null {
  for (const { encoded, action } of ACTIONS) {
    if (cursor.take(encoded)) return action;
  }
  if (cursor.major() === MAJOR.text) return cursor.text();
  cursor.skip();
  return null;
}
