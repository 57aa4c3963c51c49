/** Payloads of #sync, #identity and #account. */
import { type CborCursor, MAJOR } from "./cbor-cursor.ts";
import {
  checkFields,
  fault,
  newFields,
  readBlocks,
  readOptionalText,
  readSeq,
  readText,
  readTime,
} from "./frame-fields.ts";
import {
  type AccountFrame,
  type BrokenFrame,
  type IdentityFrame,
  MAX_SYNC_BLOCKS_BYTES,
  type SyncFrame,
} from "./frame-types.ts";
import { keyTable, matchKey } from "./key-table.ts";

export const NO_SEQ: BrokenFrame = { kind: "broken", reason: "seq is missing or not a positive integer" };

const KEY = { did: 0, rev: 1, seq: 2, time: 3, blocks: 4, handle: 5, active: 6, status: 7 } as const;
const SYNC_KEYS = keyTable({ did: KEY.did, rev: KEY.rev, seq: KEY.seq, time: KEY.time, blocks: KEY.blocks });
const IDENTITY_KEYS = keyTable({ did: KEY.did, seq: KEY.seq, time: KEY.time, handle: KEY.handle });
const ACCOUNT_KEYS = keyTable({ did: KEY.did, seq: KEY.seq, time: KEY.time, active: KEY.active, status: KEY.status });

/** @throws CborError */
export function readSync(cursor: CborCursor): SyncFrame | BrokenFrame {
  const fields = newFields();
  let rev = "";
  let blocksStart = -1;
  let blocksEnd = -1;
  let keyStart = -1;
  let keyEnd = -1;
  for (let left = cursor.count(MAJOR.map); left > 0; left--) {
    keyStart = cursor.key(keyStart, keyEnd);
    keyEnd = cursor.pos;
    switch (matchKey(SYNC_KEYS, cursor.bytes, keyStart, keyEnd)) {
      case KEY.did:
        fields.did = readText(cursor, fields, "did");
        break;
      case KEY.rev:
        rev = readText(cursor, fields, "rev");
        break;
      case KEY.seq:
        readSeq(cursor, fields);
        break;
      case KEY.time:
        readTime(cursor, fields);
        break;
      case KEY.blocks:
        blocksStart = readBlocks(cursor, fields, MAX_SYNC_BLOCKS_BYTES);
        blocksEnd = cursor.pos;
        break;
      default:
        cursor.skip();
    }
  }
  if (fields.seq === 0) return NO_SEQ;
  if (blocksStart === -1) fault(fields, "bad-field", "blocks are missing");
  checkFields(fields, rev);
  return { kind: "sync", ...fields, rev, blocksStart, blocksEnd };
}

/** @throws CborError */
export function readIdentity(cursor: CborCursor): IdentityFrame | BrokenFrame {
  const fields = newFields();
  let handle: string | null = null;
  let keyStart = -1;
  let keyEnd = -1;
  for (let left = cursor.count(MAJOR.map); left > 0; left--) {
    keyStart = cursor.key(keyStart, keyEnd);
    keyEnd = cursor.pos;
    switch (matchKey(IDENTITY_KEYS, cursor.bytes, keyStart, keyEnd)) {
      case KEY.did:
        fields.did = readText(cursor, fields, "did");
        break;
      case KEY.seq:
        readSeq(cursor, fields);
        break;
      case KEY.time:
        readTime(cursor, fields);
        break;
      case KEY.handle:
        handle = readOptionalText(cursor, fields, "handle");
        break;
      default:
        cursor.skip();
    }
  }
  if (fields.seq === 0) return NO_SEQ;
  checkFields(fields, null);
  return { kind: "identity", ...fields, handle };
}

/** @throws CborError */
export function readAccount(cursor: CborCursor): AccountFrame | BrokenFrame {
  const fields = newFields();
  let active: boolean | null = null;
  let status: string | null = null;
  let keyStart = -1;
  let keyEnd = -1;
  for (let left = cursor.count(MAJOR.map); left > 0; left--) {
    keyStart = cursor.key(keyStart, keyEnd);
    keyEnd = cursor.pos;
    switch (matchKey(ACCOUNT_KEYS, cursor.bytes, keyStart, keyEnd)) {
      case KEY.did:
        fields.did = readText(cursor, fields, "did");
        break;
      case KEY.seq:
        readSeq(cursor, fields);
        break;
      case KEY.time:
        readTime(cursor, fields);
        break;
      case KEY.active:
        active = cursor.takeBoolean();
        if (active === null) cursor.skip();
        break;
      case KEY.status:
        status = readOptionalText(cursor, fields, "status");
        break;
      default:
        cursor.skip();
    }
  }
  if (fields.seq === 0) return NO_SEQ;
  if (active === null) fault(fields, "bad-field", "active is not a boolean");
  checkFields(fields, null);
  return { kind: "account", ...fields, active: active ?? false, status };
}
