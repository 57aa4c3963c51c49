/** Reads the payloads of #sync, #identity and #account. */
import { type CborCursor, MAJOR } from "@firehose-backfill/core/cbor/cursor";
import {
  checkFields,
  fault,
  readBlocks,
  readDid,
  readOptionalText,
  readRev,
  readSeq,
  readTime,
} from "./frame-fields.ts";
import { AccountFrame, type BrokenFrame, IdentityFrame, MAX_SYNC_BLOCKS_BYTES, SyncFrame } from "./frame-types.ts";
import { FIRST_KEY, keyTable } from "@firehose-backfill/core/cbor/key-table";

export const NO_SEQ: BrokenFrame = { kind: "broken", reason: "seq is missing or not a positive integer" };

const SYNC_KEY = { did: 0, rev: 1, seq: 2, time: 3, blocks: 4 } as const;
const SYNC_KEYS = keyTable(SYNC_KEY);
const IDENTITY_KEY = { did: 0, seq: 1, time: 2, handle: 3 } as const;
const IDENTITY_KEYS = keyTable(IDENTITY_KEY);
const ACCOUNT_KEY = { did: 0, seq: 1, time: 2, active: 3, status: 4 } as const;
const ACCOUNT_KEYS = keyTable(ACCOUNT_KEY);

/** @throws CborError */
export function readSync(cursor: CborCursor): SyncFrame | BrokenFrame {
  const frame = new SyncFrame(cursor.bytes);
  let key = FIRST_KEY;
  for (let left = cursor.count(MAJOR.map); left > 0; left--) {
    key = cursor.key(SYNC_KEYS, key);
    switch (key) {
      case SYNC_KEY.did:
        readDid(cursor, frame, "did");
        break;
      case SYNC_KEY.rev:
        readRev(cursor, frame);
        break;
      case SYNC_KEY.seq:
        readSeq(cursor, frame);
        break;
      case SYNC_KEY.time:
        readTime(cursor, frame);
        break;
      case SYNC_KEY.blocks:
        frame.blocksStart = readBlocks(cursor, frame, MAX_SYNC_BLOCKS_BYTES);
        frame.blocksEnd = cursor.pos;
        break;
      default:
        cursor.skip();
    }
  }
  if (frame.seq === 0) return NO_SEQ;
  if (frame.blocksStart === -1) fault(frame, "bad-field", "blocks are missing");
  checkFields(frame);
  return frame;
}

/** @throws CborError */
export function readIdentity(cursor: CborCursor): IdentityFrame | BrokenFrame {
  const frame = new IdentityFrame(cursor.bytes);
  let key = FIRST_KEY;
  for (let left = cursor.count(MAJOR.map); left > 0; left--) {
    key = cursor.key(IDENTITY_KEYS, key);
    switch (key) {
      case IDENTITY_KEY.did:
        readDid(cursor, frame, "did");
        break;
      case IDENTITY_KEY.seq:
        readSeq(cursor, frame);
        break;
      case IDENTITY_KEY.time:
        readTime(cursor, frame);
        break;
      case IDENTITY_KEY.handle:
        frame.handle = readOptionalText(cursor, frame, "handle");
        break;
      default:
        cursor.skip();
    }
  }
  if (frame.seq === 0) return NO_SEQ;
  checkFields(frame);
  return frame;
}

/** @throws CborError */
export function readAccount(cursor: CborCursor): AccountFrame | BrokenFrame {
  const frame = new AccountFrame(cursor.bytes);
  let active: boolean | null = null;
  let key = FIRST_KEY;
  for (let left = cursor.count(MAJOR.map); left > 0; left--) {
    key = cursor.key(ACCOUNT_KEYS, key);
    switch (key) {
      case ACCOUNT_KEY.did:
        readDid(cursor, frame, "did");
        break;
      case ACCOUNT_KEY.seq:
        readSeq(cursor, frame);
        break;
      case ACCOUNT_KEY.time:
        readTime(cursor, frame);
        break;
      case ACCOUNT_KEY.active:
        active = cursor.takeBoolean();
        if (active === null) cursor.skip();
        break;
      case ACCOUNT_KEY.status:
        frame.status = readOptionalText(cursor, frame, "status");
        break;
      default:
        cursor.skip();
    }
  }
  if (frame.seq === 0) return NO_SEQ;
  if (active === null) fault(frame, "bad-field", "active is not a boolean");
  else frame.active = active;
  checkFields(frame);
  return frame;
}
