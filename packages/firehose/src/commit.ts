/** Checks that the signed commit block of a repository says the same as the event around it. */
import { digestMatches, isCid } from "@firehose-backfill/core/cid";
import { COMMIT_VERSION, readCommitBlock, type SignaturePlace } from "@firehose-backfill/core/commit-block";
import type { CommitFrame, SyncFrame } from "./frame-types.ts";

/** Why a part of a frame becomes a dead entry: a short stable word, and a sentence for the operator. */
export interface Problem {
  readonly reason: string;
  readonly error: string;
}

/** Where the signature stands in a commit block, and the 36 bytes of the CID of the root of its tree. */
export interface CheckedCommit extends SignaturePlace {
  readonly data: number;
}

/**
 * Checks the block between two offsets of an event's frame against its CID (an offset, too) and against the event. Returns
 * where its signature stands, or what is wrong with it.
 */
export function checkCommit(
  event: CommitFrame | SyncFrame,
  cid: number,
  start: number,
  end: number,
): CheckedCommit | Problem {
  const { bytes } = event;
  if (!digestMatches(bytes, cid, bytes.subarray(start, end))) {
    return { reason: "commit-hash", error: "the commit block does not hash to the commit's CID" };
  }
  if (isUsualBlock(event, start, end)) {
    return {
      entryStart: start + USUAL.sigEntry,
      start: start + USUAL.sig,
      end: start + USUAL.sigEnd,
      data: start + USUAL.data,
    };
  }
  const commit = readCommitBlock(bytes, start, end);
  if (typeof commit === "string") return { reason: "bad-commit", error: commit };
  if (commit.version !== COMMIT_VERSION) return mismatch(`version ${commit.version} instead of ${COMMIT_VERSION}`);
  if (commit.did !== event.did) return mismatch(`the commit is of ${commit.did}, the event of ${event.did}`);
  if (commit.rev !== event.rev) return mismatch(`the commit's rev is ${commit.rev}, the event's ${event.rev}`);
  return { ...commit.signature, data: commit.data };
}

function mismatch(error: string): Problem {
  return { reason: "commit-mismatch", error };
}

export function isProblem(result: CheckedCommit | Problem | null): result is Problem {
  return result !== null && "reason" in result;
}

/** The bytes between the values of a commit block whose DID has 32 characters, and where they stand. */
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
 * Whether the commit block has the usual form, with each value at a fixed place, and says the same as the event. Nearly every
 * repository writes this form. A block of another form is read field by field.
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
