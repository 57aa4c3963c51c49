/**
 * The signed commit block of a repository, and whether it says what the event around it says.
 * The signature itself is verified elsewhere: here its bytes, and those it covers, are set apart.
 */
import { hash } from "node:crypto";
import { CborError } from "@firehose-backfill/core/cbor/refusal";
import { CID_LENGTH } from "@firehose-backfill/core/cid";
import { CborCursor, MAJOR } from "./cbor-cursor.ts";
import { keyTable, matchKey } from "./key-table.ts";

/** Version 3 of the repository format. */
const COMMIT_VERSION = 3;
const CID_PREFIX = 4;

export interface CommitBlock {
  readonly did: string;
  readonly rev: string;
  readonly version: number;
  /** Offsets of the 36 bytes of the root of the tree, and of the commit before; -1: none. */
  readonly data: number;
  readonly prev: number;
  /** Offsets of the signature's bytes. */
  readonly sigStart: number;
  readonly sigEnd: number;
  /** Where the key `sig` starts (its head), and where its value ends: the signature covers the map without it. */
  readonly sigEntryStart: number;
}

export interface CommitProblem {
  readonly reason: "commit-mismatch" | "commit-hash" | "bad-commit";
  readonly error: string;
}

/** What the event around the commit says of it; `cid` is an offset. */
export interface CommitClaims {
  readonly did: string;
  readonly rev: string;
  readonly cid: number;
}

const KEY = { did: 0, rev: 1, sig: 2, data: 3, prev: 4, version: 5 } as const;
const KEYS = keyTable(KEY);

/** Checks the block between two offsets against its CID and the event. Returns the block, or what is wrong with it. */
export function checkCommit(
  bytes: Buffer,
  start: number,
  end: number,
  claims: CommitClaims,
): CommitBlock | CommitProblem {
  const digest = hash("sha256", bytes.subarray(start, end), "buffer");
  if (bytes.compare(digest, 0, digest.length, claims.cid + CID_PREFIX, claims.cid + CID_LENGTH) !== 0) {
    return { reason: "commit-hash", error: "the commit block does not hash to the commit's CID" };
  }
  const commit = readCommitBlock(bytes, start, end);
  if (typeof commit === "string") return { reason: "bad-commit", error: commit };
  if (commit.version !== COMMIT_VERSION) return mismatch(`version ${commit.version} instead of ${COMMIT_VERSION}`);
  if (commit.did !== claims.did) return mismatch(`the commit is of ${commit.did}, the event of ${claims.did}`);
  if (commit.rev !== claims.rev) return mismatch(`the commit's rev is ${commit.rev}, the event's ${claims.rev}`);
  return commit;
}

function mismatch(error: string): CommitProblem {
  return { reason: "commit-mismatch", error };
}

export function isCommitProblem(result: CommitBlock | CommitProblem): result is CommitProblem {
  return "reason" in result;
}

/** The bytes that the signature covers: the same map without `sig`. Own memory. */
export function unsignedBytes(bytes: Buffer, start: number, end: number, commit: CommitBlock): Uint8Array {
  const unsigned = new Uint8Array(end - start - (commit.sigEnd - commit.sigEntryStart));
  unsigned.set(bytes.subarray(start, commit.sigEntryStart));
  unsigned.set(bytes.subarray(commit.sigEnd, end), commit.sigEntryStart - start);
  // A map of fewer than 24 entries: its length is in its first byte.
  unsigned[0] = (bytes[start] ?? 0) - 1;
  return unsigned;
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
  let data = -1;
  let prev = -1;
  let sigStart = -1;
  let sigEnd = -1;
  let sigEntryStart = -1;
  let keyStart = -1;
  let keyEnd = -1;
  const entries = cursor.count(MAJOR.map);
  if (entries >= 24) return "the commit block has too many fields";
  for (let left = entries; left > 0; left--) {
    const entryStart = cursor.pos;
    keyStart = cursor.key(keyStart, keyEnd);
    keyEnd = cursor.pos;
    switch (matchKey(KEYS, cursor.bytes, keyStart, keyEnd)) {
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
        if (!cursor.takeNull()) prev = cursor.cid();
        break;
      case KEY.sig:
        sigEntryStart = entryStart;
        sigStart = cursor.range(MAJOR.bytes);
        sigEnd = cursor.pos;
        break;
      default:
        cursor.skip();
    }
  }
  if (cursor.pos !== cursor.end) return "the commit block holds more than a commit";
  if (data === -1) return "the commit block names no tree";
  if (sigStart === -1) return "the commit block is not signed";
  return { did, rev, version, data, prev, sigStart, sigEnd, sigEntryStart };
}
