/** Parses the header of a CARv1 archive, which names its root block. Other files read the blocks. */
import { CborCursor, MAJOR } from "./cbor/cursor.ts";
import { FIRST_KEY, keyTable } from "./cbor/key-table.ts";
import { CborError } from "./cbor/refusal.ts";
import { CID_LENGTH } from "./cid.ts";

/** The result for a valid header that names no root, as in answers to `getBlocks`. */
export const NO_ROOT = "no root";

/** `a2 65 roots 81 d8 2a 58 25 00`, a CID, `67 version 01`: the header of every archive with one root. */
const HEADER_BEFORE = Buffer.concat([
  Buffer.from([0xa2, 0x65]),
  Buffer.from("roots"),
  Buffer.from("81d82a582500", "hex"),
]);
const HEADER_AFTER = Buffer.concat([Buffer.from([0x67]), Buffer.from("version"), Buffer.from([0x01])]);
const HEADER_LENGTH = HEADER_BEFORE.length + CID_LENGTH + HEADER_AFTER.length;

const KEY = { roots: 0, version: 1 } as const;
const KEYS = keyTable(KEY);

/** The offset of the first root's 36 bytes in the header between two offsets; a sentence if it is not a header of version 1. */
export function readCarRoot(bytes: Buffer, start: number, end: number): number | string {
  const isUsual =
    end - start === HEADER_LENGTH &&
    isAt(bytes, start, HEADER_BEFORE) &&
    isAt(bytes, end - HEADER_AFTER.length, HEADER_AFTER);
  if (isUsual) return start + HEADER_BEFORE.length;
  try {
    return readAnyRoot(new CborCursor(bytes, start, end));
  } catch (error) {
    if (error instanceof CborError) return `the header is not strict DAG-CBOR: ${error.reason}`;
    throw error;
  }
}

function readAnyRoot(cursor: CborCursor): number | string {
  let root = -1;
  let version = 0;
  let key = FIRST_KEY;
  for (let left = cursor.count(MAJOR.map); left > 0; left--) {
    key = cursor.key(KEYS, key);
    if (key === KEY.version) version = cursor.uint();
    else if (key === KEY.roots) {
      for (let roots = cursor.count(MAJOR.array); roots > 0; roots--) {
        const cid = cursor.cid();
        if (root === -1) root = cid;
      }
    } else cursor.skip();
  }
  if (cursor.pos !== cursor.end) return "the header is longer than it says";
  if (version !== 1) return `version ${version} instead of 1`;
  return root === -1 ? NO_ROOT : root;
}

function isAt(bytes: Buffer, start: number, expected: Buffer): boolean {
  for (let at = 0; at < expected.length; at++) {
    if (bytes[start + at] !== expected[at]) return false;
  }
  return true;
}
