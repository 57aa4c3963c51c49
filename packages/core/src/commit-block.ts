/**
 * Parses the signed commit block of a repository. It separates the signature and the bytes that the signature covers; callers
 * check the values and verify the signature.
 */
import { CborCursor, MAJOR } from "./cbor/cursor.ts";
import { FIRST_KEY, keyTable } from "./cbor/key-table.ts";
import { CborError } from "./cbor/refusal.ts";

/** Version 3 of the repository format. */
export const COMMIT_VERSION = 3;
/** How far ahead of now a revision may be; later ones would win against everything that comes after them. */
export const MAX_REV_AHEAD_MS = 300_000;

/** The position of the signature in a commit block: offsets of its bytes, and of its key (the signature covers the map without it). */
export interface SignaturePlace {
  readonly entryStart: number;
  readonly start: number;
  readonly end: number;
}

export interface CommitBlock {
  readonly did: string;
  readonly rev: string;
  readonly version: number;
  /** Where the 36 bytes of the CID of the tree's root start. */
  readonly data: number;
  readonly signature: SignaturePlace;
}

const KEY = { did: 0, rev: 1, sig: 2, data: 3, prev: 4, version: 5 } as const;
const KEYS = keyTable(KEY);

/** The bytes that the signature covers: the same map without `sig`, in its own memory. */
export function unsignedBytes(bytes: Buffer, start: number, end: number, signature: SignaturePlace): Uint8Array {
  const unsigned = new Uint8Array(end - start - (signature.end - signature.entryStart));
  unsigned.set(bytes.subarray(start, signature.entryStart));
  unsigned.set(bytes.subarray(signature.end, end), signature.entryStart - start);
  // The map has fewer than 24 entries, so its length is in its first byte.
  unsigned[0] = (bytes[start] ?? 0) - 1;
  return unsigned;
}

/** Returns a sentence if the block is not a commit. */
export function readCommitBlock(bytes: Buffer, start: number, end: number): CommitBlock | string {
  try {
    return readFields(new CborCursor(bytes, start, end));
  } catch (error) {
    if (error instanceof CborError) return `the commit block is not a commit: ${error.reason}`;
    throw error;
  }
}

function readFields(cursor: CborCursor): CommitBlock | string {
  let did = "";
  let rev = "";
  let version = 0;
  let data = -1;
  let signature: SignaturePlace | null = null;
  let key = FIRST_KEY;
  const entries = cursor.count(MAJOR.map);
  if (entries >= 24) return "the commit block has too many fields";
  for (let left = entries; left > 0; left--) {
    const entryStart = cursor.pos;
    key = cursor.key(KEYS, key);
    switch (key) {
      case KEY.did:
        did = cursor.text();
        break;
      case KEY.rev:
        rev = cursor.text();
        break;
      case KEY.version:
        version = cursor.uint();
        break;
      case KEY.data:
        data = cursor.cid();
        break;
      case KEY.prev:
        if (!cursor.takeNull()) cursor.cid();
        break;
      case KEY.sig: {
        const start = cursor.range(MAJOR.bytes);
        signature = { entryStart, start, end: cursor.pos };
        break;
      }
      default:
        cursor.skip();
    }
  }
  if (cursor.pos !== cursor.end) return "the commit block holds more than a commit";
  if (data === -1) return "the commit block names no tree";
  if (signature === null) return "the commit block is not signed";
  return { did, rev, version, data, signature };
}
