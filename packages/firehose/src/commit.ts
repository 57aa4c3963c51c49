/**
 * The signed commit block of a repository, and whether it says what the event around it says.
 * The signature itself is verified elsewhere: here its bytes, and those it covers, are set apart.
 */
import { CborError } from "@firehose-backfill/core/cbor/refusal";
import { digestMatches, isCid } from "@firehose-backfill/core/cid";
import { CborCursor, MAJOR } from "./cbor-cursor.ts";
import type { CommitFrame, SyncFrame } from "./frame-types.ts";
import { FIRST_KEY, keyTable } from "./key-table.ts";

/** Version 3 of the repository format. */
const COMMIT_VERSION = 3;

/** Where the signature stands in a commit block: offsets of its bytes, and of its key (the signature covers the map without it). */
export interface SignaturePlace {
  readonly entryStart: number;
  readonly start: number;
  readonly end: number;
}

interface CommitBlock {
  readonly did: string;
  readonly rev: string;
  readonly version: number;
  readonly signature: SignaturePlace;
}

/** Why something of a frame is dead: a short stable word, and a sentence for the operator. */
export interface Problem {
  readonly reason: string;
  readonly error: string;
}

const KEY = { did: 0, rev: 1, sig: 2, data: 3, prev: 4, version: 5 } as const;
const KEYS = keyTable(KEY);

/**
 * Checks the block between two offsets of an event's frame against its CID (an offset, too) and against the event. Returns
 * where it is signed, or what is wrong with it.
 */
export function checkCommit(
  event: CommitFrame | SyncFrame,
  cid: number,
  start: number,
  end: number,
): SignaturePlace | Problem {
  const { bytes } = event;
  if (!digestMatches(bytes, cid, bytes.subarray(start, end))) {
    return { reason: "commit-hash", error: "the commit block does not hash to the commit's CID" };
  }
  if (isUsualBlock(event, start, end)) {
    return { entryStart: start + USUAL.sigEntry, start: start + USUAL.sig, end: start + USUAL.sigEnd };
  }
  const commit = readCommitBlock(bytes, start, end);
  if (typeof commit === "string") return { reason: "bad-commit", error: commit };
  if (commit.version !== COMMIT_VERSION) return mismatch(`version ${commit.version} instead of ${COMMIT_VERSION}`);
  if (commit.did !== event.did) return mismatch(`the commit is of ${commit.did}, the event of ${event.did}`);
  if (commit.rev !== event.rev) return mismatch(`the commit's rev is ${commit.rev}, the event's ${event.rev}`);
  return commit.signature;
}

function mismatch(error: string): Problem {
  return { reason: "commit-mismatch", error };
}

export function isProblem(result: SignaturePlace | Problem | null): result is Problem {
  return result !== null && "reason" in result;
}

/** The bytes that the signature covers: the same map without `sig`. Own memory. */
export function unsignedBytes(bytes: Buffer, start: number, end: number, signature: SignaturePlace): Uint8Array {
  const unsigned = new Uint8Array(end - start - (signature.end - signature.entryStart));
  unsigned.set(bytes.subarray(start, signature.entryStart));
  unsigned.set(bytes.subarray(signature.end, end), signature.entryStart - start);
  // A map of fewer than 24 entries: its length is in its first byte.
  unsigned[0] = (bytes[start] ?? 0) - 1;
  return unsigned;
}

/** Byte strings that stand between the values of a commit block with a DID of 32 characters, and where. */
const AROUND_VALUES = [
  { at: 0, bytes: Buffer.from("a663646964" + "7820", "hex") },
  { at: 39, bytes: Buffer.from("63726576" + "6d", "hex") },
  { at: 57, bytes: Buffer.from("63736967" + "5840", "hex") },
  { at: 127, bytes: Buffer.from("6464617461" + "d82a582500", "hex") },
  { at: 173, bytes: Buffer.from("6470726576" + "f6" + "6776657273696f6e" + "03", "hex") },
] as const;
const USUAL = { length: 188, did: 7, rev: 44, sigEntry: 57, sig: 63, sigEnd: 127, data: 137 } as const;
const DID_LENGTH = 32;
const REV_LENGTH = 13;

/**
 * Whether the commit block is as nearly every repo writes it, each value at a fixed place, and fits the event. Any other one is
 * read field by field.
 */
function isUsualBlock(event: CommitFrame | SyncFrame, start: number, end: number): boolean {
  const { bytes, didStart, didEnd, revStart } = event;
  if (end - start !== USUAL.length || didEnd - didStart !== DID_LENGTH || revStart === -1) return false;
  for (const part of AROUND_VALUES) {
    for (let index = 0; index < part.bytes.length; index++) {
      if (bytes[start + part.at + index] !== part.bytes[index]) return false;
    }
  }
  return (
    isSame(bytes, start + USUAL.did, didStart, DID_LENGTH) &&
    isSame(bytes, start + USUAL.rev, revStart, REV_LENGTH) &&
    isCid(bytes, start + USUAL.data)
  );
}

function isSame(bytes: Buffer, left: number, right: number, length: number): boolean {
  for (let index = 0; index < length; index++) {
    if (bytes[left + index] !== bytes[right + index]) return false;
  }
  return true;
}

/** Returns a sentence where it is no commit. */
function readCommitBlock(bytes: Buffer, start: number, end: number): CommitBlock | string {
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
  let hasTree = false;
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
        cursor.cid();
        hasTree = true;
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
  if (!hasTree) return "the commit block names no tree";
  if (signature === null) return "the commit block is not signed";
  return { did, rev, version, signature };
}
