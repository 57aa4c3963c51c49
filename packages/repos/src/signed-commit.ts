/** The signed commit, which names the root of a repository's tree: it is parsed, compared with the request and verified once. */
import { COMMIT_VERSION, MAX_REV_AHEAD_MS, readCommitBlock, unsignedBytes } from "@firehose-backfill/core/commit-block";
import { CID_LENGTH, hashMatches } from "@firehose-backfill/core/cid";
import { type PublicKey, verifySignature } from "@firehose-backfill/core/signature";
import { isDid, isTid, tidTimeMs } from "@firehose-backfill/core/syntax";
import { BadRepoError } from "./errors.ts";

export interface SignedCommit {
  readonly did: string;
  /** A TID, as text. */
  readonly rev: string;
  /** CID of the root of the tree. */
  readonly data: Uint8Array;
  /** The bytes that the signature covers. */
  readonly unsigned: Uint8Array;
  readonly signature: Uint8Array;
}

export interface CommitExpectation {
  readonly did: string;
  /** The block's CID. */
  readonly cid: Uint8Array;
  readonly nowMs: number;
}

/** Parses the block and checks everything but the signature. @throws BadRepoError */
export function readSignedCommit(block: Uint8Array, expected: CommitExpectation): SignedCommit {
  if (!hashMatches(expected.cid, block)) {
    throw new BadRepoError("hash-mismatch", "the commit block is not the one that its CID names");
  }
  const bytes = Buffer.from(block);
  const commit = readCommitBlock(bytes, 0, bytes.length);
  if (typeof commit === "string") throw new BadRepoError("bad-commit", commit);
  const { did, rev, version, data, signature } = commit;
  if (version !== COMMIT_VERSION) {
    throw new BadRepoError("bad-commit", `the commit's version is ${version} instead of ${COMMIT_VERSION}`);
  }
  if (!isAscii(did, isDid)) throw new BadRepoError("bad-commit", "the commit does not name a DID");
  if (!isAscii(rev, isTid)) throw new BadRepoError("bad-commit", "the commit's rev is not a TID");
  if (did !== expected.did) throw new BadRepoError("wrong-repo", `the commit is of ${did}, not of ${expected.did}`);
  if (tidTimeMs(Buffer.from(rev), 0) > expected.nowMs + MAX_REV_AHEAD_MS) {
    throw new BadRepoError("rev-in-future", `the commit's rev ${rev} is more than 5 minutes ahead of now`);
  }
  return {
    did,
    rev,
    data: bytes.subarray(data, data + CID_LENGTH),
    unsigned: unsignedBytes(bytes, 0, bytes.length, signature),
    signature: bytes.subarray(signature.start, signature.end),
  };
}

/** @throws BadRepoError */
export function verifyCommit(commit: SignedCommit, key: PublicKey): void {
  if (verifySignature(key, commit.unsigned, commit.signature)) return;
  throw new BadRepoError(
    "bad-signature",
    `the commit ${commit.rev} of ${commit.did} is not signed with the account's key`,
  );
}

function isAscii(text: string, check: (bytes: Uint8Array, start: number, end: number) => boolean): boolean {
  const bytes = Buffer.from(text);
  return check(bytes, 0, bytes.length);
}
