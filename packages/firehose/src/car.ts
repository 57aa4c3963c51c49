/**
 * A CARv1 archive inside a frame, walked by offsets: each wanted block is found by the 36 bytes of its CID.
 * Every section's length is checked; what is inside a block is not looked at (MST nodes are never decoded).
 */
import { CborError } from "@firehose-backfill/core/cbor/refusal";
import { CID_LENGTH, cidEquals } from "@firehose-backfill/core/cid";
import { CborCursor, MAJOR } from "./cbor-cursor.ts";
import { MAX_OPS } from "./frame-types.ts";
import { FIRST_KEY, keyTable } from "./key-table.ts";

/** Where the digest begins in a CID. */
const DIGEST_AT = 4;
/** One an operation, and the commit. */
const MOST_WANTED = MAX_OPS + 1;

/** Blocks that are looked for, and where they were found. Used again and again: nothing is made for an archive. */
export class WantedBlocks {
  /** Where the 36 bytes of each one's CID start, anywhere in the same bytes. */
  readonly cids = new Int32Array(MOST_WANTED);
  /** Where each block starts and ends, without its CID. -1: the archive does not hold it. */
  readonly starts = new Int32Array(MOST_WANTED);
  readonly ends = new Int32Array(MOST_WANTED);
  length = 0;

  clear(): void {
    this.length = 0;
  }

  /** Returns its index. */
  add(cid: number): number {
    const index = this.length++;
    this.cids[index] = cid;
    this.starts[index] = -1;
    return index;
  }
}

/**
 * Finds blocks. Where a CID stands in the archive twice, the first block counts. Returns where the 36 bytes of the first root
 * start, or a sentence where the archive is not one.
 */
export function findBlocks(bytes: Buffer, start: number, end: number, wanted: WantedBlocks): number | string {
  const section = { at: start };
  const root = openArchive(bytes, section, end);
  if (typeof root === "string") return root;

  const { cids, starts, ends, length } = wanted;
  while (section.at < end) {
    const blockEnd = nextSection(bytes, section, end);
    if (blockEnd === -1) return "a block's length is wrong";
    const cid = section.at;
    section.at = blockEnd;
    // A shorter section cannot be one of ours; whatever its CID is, the block is passed.
    if (blockEnd - cid < CID_LENGTH) continue;
    // One byte of the digest tells nearly all others apart: the first, which is next to the length that was just read.
    const digestByte = bytes[cid + DIGEST_AT];
    for (let index = 0; index < length; index++) {
      const wantedCid = cids[index] ?? 0;
      if (bytes[wantedCid + DIGEST_AT] !== digestByte || starts[index] !== -1) continue;
      if (!cidEquals(bytes, bytes, wantedCid, cid)) continue;
      starts[index] = cid + CID_LENGTH;
      ends[index] = blockEnd;
    }
  }
  return root;
}

/** Where the 36 bytes of the first root start; a sentence where the archive is not one. Blocks are not looked at. */
export function carRoot(bytes: Buffer, start: number, end: number): number | string {
  return openArchive(bytes, { at: start }, end);
}

/** Moves `section.at` behind the header. */
function openArchive(bytes: Buffer, section: { at: number }, end: number): number | string {
  const headerEnd = nextSection(bytes, section, end);
  if (headerEnd === -1) return "the header's length is wrong";
  const root = readRoot(bytes, section.at, headerEnd);
  section.at = headerEnd;
  return root;
}

/** Moves `section.at` behind the length (LEB128) and returns where the section ends; -1: it does not fit. */
function nextSection(bytes: Buffer, section: { at: number }, end: number): number {
  let { at } = section;
  let length = 0;
  for (let shift = 0; shift <= 21; shift += 7) {
    if (at >= end) return -1;
    const byte = bytes[at++] ?? 0;
    length |= (byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    section.at = at;
    return length > 0 && length <= end - at ? at + length : -1;
  }
  return -1;
}

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

function readRoot(bytes: Buffer, start: number, end: number): number | string {
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
  return root === -1 ? "no root" : root;
}

function isAt(bytes: Buffer, start: number, expected: Buffer): boolean {
  for (let at = 0; at < expected.length; at++) {
    if (bytes[start + at] !== expected[at]) return false;
  }
  return true;
}
