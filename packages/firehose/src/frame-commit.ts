/** Payload of #commit. Operations come out as offsets: most of them are filtered before anything is made of them. */
import { type CborCursor, MAJOR } from "./cbor-cursor.ts";
import {
  checkFields,
  type CommonFields,
  fault,
  newFields,
  readBlocks,
  readSeq,
  readText,
  readTime,
} from "./frame-fields.ts";
import { NO_SEQ } from "./frame-markers.ts";
import { type BrokenFrame, type CommitFrame, MAX_COMMIT_BLOCKS_BYTES, MAX_OPS, type OpSlice } from "./frame-types.ts";
import { keyTable, matchKey } from "./key-table.ts";

const KEY = { ops: 0, rev: 1, seq: 2, repo: 3, time: 4, blocks: 5, commit: 6 } as const;
const KEYS = keyTable(KEY);

const OP_KEY = { cid: 0, path: 1, action: 2 } as const;
const OP_KEYS = keyTable(OP_KEY);

/** @throws CborError */
export function readCommit(cursor: CborCursor): CommitFrame | BrokenFrame {
  const fields = newFields();
  let rev = "";
  let commit = -1;
  let blocksStart = -1;
  let blocksEnd = -1;
  let ops: readonly OpSlice[] | null = null;
  let keyStart = -1;
  let keyEnd = -1;
  for (let left = cursor.count(MAJOR.map); left > 0; left--) {
    keyStart = cursor.key(keyStart, keyEnd);
    keyEnd = cursor.pos;
    switch (matchKey(KEYS, cursor.bytes, keyStart, keyEnd)) {
      case KEY.ops:
        ops = readOps(cursor, fields);
        break;
      case KEY.rev:
        rev = readText(cursor, fields, "rev");
        break;
      case KEY.seq:
        readSeq(cursor, fields);
        break;
      case KEY.repo:
        fields.did = readText(cursor, fields, "repo");
        break;
      case KEY.time:
        readTime(cursor, fields);
        break;
      case KEY.blocks:
        blocksStart = readBlocks(cursor, fields, MAX_COMMIT_BLOCKS_BYTES);
        blocksEnd = cursor.pos;
        break;
      case KEY.commit:
        if (cursor.takeNull()) break;
        commit = cursor.cid();
        break;
      default:
        // since, prevData, blobs, rebase, tooBig, and whatever comes to be.
        cursor.skip();
    }
  }
  if (fields.seq === 0) return NO_SEQ;
  if (ops === null) fault(fields, "bad-field", "ops are missing");
  else if (blocksStart === -1) fault(fields, "bad-field", "blocks are missing");
  else if (commit === -1) fault(fields, "bad-field", "commit is missing");
  checkFields(fields, rev);
  return { kind: "commit", ...fields, rev, commit, blocksStart, blocksEnd, ops: ops ?? [] };
}

function readOps(cursor: CborCursor, fields: CommonFields): readonly OpSlice[] | null {
  if (cursor.major() !== MAJOR.array) {
    cursor.skip();
    return null;
  }
  const count = cursor.count(MAJOR.array);
  if (count > MAX_OPS) fault(fields, "too-many-ops", `${count} operations; at most ${MAX_OPS} are allowed`);
  const ops: OpSlice[] = [];
  for (let index = 0; index < count; index++) {
    if (index < MAX_OPS) ops.push(readOp(cursor));
    else cursor.skip();
  }
  return ops;
}

function readOp(cursor: CborCursor): OpSlice {
  const start = cursor.pos;
  let action: string | null = null;
  let path: string | null = null;
  let cid = -1;
  if (cursor.major() !== MAJOR.map) {
    cursor.skip();
    return { start, end: cursor.pos, action, path, cid };
  }
  let keyStart = -1;
  let keyEnd = -1;
  for (let left = cursor.count(MAJOR.map); left > 0; left--) {
    keyStart = cursor.key(keyStart, keyEnd);
    keyEnd = cursor.pos;
    const key = matchKey(OP_KEYS, cursor.bytes, keyStart, keyEnd);
    if (key === OP_KEY.cid && !cursor.takeNull()) cid = cursor.cid();
    else if (key === OP_KEY.cid) continue;
    else if (key === OP_KEY.path && cursor.major() === MAJOR.text) path = cursor.text();
    else if (key === OP_KEY.action && cursor.major() === MAJOR.text) action = cursor.text();
    else cursor.skip();
  }
  return { start, end: cursor.pos, action, path, cid };
}
