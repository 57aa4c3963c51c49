/**
 * The signed commit block of a repository, and whether it says what the event around it says.
 * The signature itself is verified elsewhere: here its bytes, and those it covers, are set apart.
 */
import { CborError } from "@firehose-backfill/core/cbor/refusal";
import { digestMatches, isCid } from "@firehose-backfill/core/cid";
import { CborCursor, MAJOR } from "./cbor-cursor.ts";
import { FIRST_KEY, keyTable } from "./key-table.ts";

/** Version 3 of the repository format. */
const COMMIT_VERSION = 3;

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
  if (!digestMatches(bytes, claims.cid, bytes.subarray(start, end))) {
    return { reason: "commit-hash", error: "the commit block does not hash to the commit's CID" };
  }
  const usual = readUsualBlock(bytes, start, end, claims);
  if (usual !== null) return usual;
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

/** Byte strings that stand between the values of a commit block with a DID of 32 characters, and where. */
const AROUND_VALUES = [
  { at: 0, bytes: Buffer.from("a663646964" + "7820", "hex") },
  { at: 39, bytes: Buffer.from("63726576" + "6d", "hex") },
  { at: 57, bytes: Buffer.from("63736967" + "5840", "hex") },
  { at: 127, bytes: Buffer.from("6464617461" + "d82a582500", "hex") },
  { at: 173, bytes: Buffer.from("6470726576" + "f6" + "6776657273696f6e" + "03", "hex") },
] as const;
const USUAL = { length: 188, did: 7, rev: 44, sigEntry: 57, sig: 63, sigEnd: 127, data: 137 } as const;

/**
 * The commit block as nearly every repo writes it: each value stands at a fixed place. null: this one is different, or
 * does not fit the event; then it is read field by field.
 */
function readUsualBlock(bytes: Buffer, start: number, end: number, claims: CommitClaims): CommitBlock | null {
  const { did, rev } = claims;
  if (end - start !== USUAL.length || did.length !== 32 || rev.length !== 13) return null;
  for (const part of AROUND_VALUES) {
    for (let index = 0; index < part.bytes.length; index++) {
      if (bytes[start + part.at + index] !== part.bytes[index]) return null;
    }
  }
  if (!isTextAt(bytes, start + USUAL.did, did) || !isTextAt(bytes, start + USUAL.rev, rev)) return null;
  const data = start + USUAL.data;
  if (!isCid(bytes, data)) return null;
  const [sigStart, sigEnd, sigEntryStart] = [start + USUAL.sig, start + USUAL.sigEnd, start + USUAL.sigEntry];
  return { did, rev, version: COMMIT_VERSION, data, prev: -1, sigStart, sigEnd, sigEntryStart };
}

/** ASCII alone: what the text holds beyond it never equals a byte of it. */
function isTextAt(bytes: Buffer, start: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f || bytes[start + index] !== code) return false;
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
  let data = -1;
  let prev = -1;
  let sigStart = -1;
  let sigEnd = -1;
  let sigEntryStart = -1;
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
