/**
 * Finds blocks in the CARv1 archive of a frame, by offsets: a wanted block is found by the 36 bytes of its CID. The length of
 * every section is checked. The inside of a block is not read, so MST nodes are never decoded.
 */
import { readCarRoot } from "@firehose-backfill/core/car-header";
import { CID_LENGTH, cidEquals } from "@firehose-backfill/core/cid";
import { MAX_OPS } from "./frame-types.ts";

/** Where the digest begins in a CID. */
const DIGEST_AT = 4;
/** One block for each operation, and the commit. */
const MOST_WANTED = MAX_OPS + 1;

/** The blocks to look for, and where they were found. One object serves all archives, so that none has to be allocated. */
export class WantedBlocks {
  /** Where the 36 bytes of each CID start, in the bytes of the same frame. */
  readonly cids = new Int32Array(MOST_WANTED);
  /** Where each block starts and ends, without its CID. -1: the archive does not have the block. */
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
 * Finds the wanted blocks. If a CID stands in the archive twice, the first block counts. Returns where the 36 bytes of the first
 * root start, or a sentence that says why the archive cannot be read.
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
    // A shorter section has a CID of another kind, which is never wanted.
    if (blockEnd - cid < CID_LENGTH) continue;
    // The first byte of the digest differs for nearly all other blocks, and it stands next to the length that was just read.
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

/** Calls `use` for each block: where the 36 bytes of its CID start, and where it ends. The archive was read before, so it is sound. */
export function eachBlock(
  bytes: Buffer,
  start: number,
  end: number,
  use: (cid: number, blockEnd: number) => void,
): void {
  const section = { at: start };
  if (typeof openArchive(bytes, section, end) === "string") return;
  while (section.at < end) {
    const blockEnd = nextSection(bytes, section, end);
    if (blockEnd === -1) return;
    if (blockEnd - section.at >= CID_LENGTH) use(section.at, blockEnd);
    section.at = blockEnd;
  }
}

/** Where the 36 bytes of the first root start, or a sentence that says why the archive cannot be read. Blocks are not read. */
export function carRoot(bytes: Buffer, start: number, end: number): number | string {
  return openArchive(bytes, { at: start }, end);
}

/** Moves `section.at` behind the header. */
function openArchive(bytes: Buffer, section: { at: number }, end: number): number | string {
  const headerEnd = nextSection(bytes, section, end);
  if (headerEnd === -1) return "the header's length is wrong";
  const root = readCarRoot(bytes, section.at, headerEnd);
  section.at = headerEnd;
  return root;
}

/** Moves `section.at` behind the length (LEB128) and returns where the section ends. -1: the section is longer than the archive. */
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
