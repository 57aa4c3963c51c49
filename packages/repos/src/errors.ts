/**
 * What can be wrong with a repository as its host serves it. The caller that walks it decides by the class: give the repository up,
 * fetch again, take the new commit, or walk instead of downloading.
 */
import { cidToText } from "@firehose-backfill/core/cid";
import type { ClassifiedError } from "@firehose-backfill/core/errors";

/** Everything that can be wrong with the data itself. The words are stored, counted and shown: never rename one. */
export type BadRepoReason =
  /** The form of the archive is wrong: its header, a section's length, a CID of another kind, or a size above the limit. */
  | "bad-archive"
  /** A block is not the one that its CID names. */
  | "hash-mismatch"
  /** A node of the tree is malformed, or is at a position where it must not be. */
  | "bad-node"
  | "bad-commit"
  /** The commit belongs to another account than the one that we asked for. */
  | "wrong-repo"
  | "rev-in-future"
  | "bad-signature";

/** The host serves data that no repository may have. Another request does not help until the host repairs it. */
export class BadRepoError extends Error implements ClassifiedError {
  override readonly name = "BadRepoError";
  readonly reason: BadRepoReason;

  constructor(reason: BadRepoReason, message: string) {
    super(message);
    this.reason = reason;
  }

  isRetryable(): boolean {
    return false;
  }
}

/** The archive ends too early: within a section, or without the block that its header names. Fetch it again, or walk. */
export class TornArchiveError extends Error implements ClassifiedError {
  override readonly name = "TornArchiveError";

  isRetryable(): boolean {
    return true;
  }
}

/** The archive is larger than we keep in memory. Another download would end the same way, so the repository has to be walked. */
export class ArchiveTooLargeError extends Error implements ClassifiedError {
  override readonly name = "ArchiveTooLargeError";

  isRetryable(): boolean {
    return false;
  }
}

/** The host does not have blocks that the commit refers to, usually because there is a newer commit. Take it and go on at the key. */
export class MissingBlocksError extends Error implements ClassifiedError {
  override readonly name = "MissingBlocksError";
  /** As text; at most the first ten. */
  readonly cids: readonly string[];
  readonly count: number;

  constructor(cids: readonly Uint8Array[], options?: ErrorOptions) {
    super(
      `${cids.length} ${cids.length === 1 ? "block" : "blocks"} of the repository ${cids.length === 1 ? "is" : "are"} not available`,
      options,
    );
    this.cids = cids.slice(0, 10).map(cidToText);
    this.count = cids.length;
  }

  isRetryable(): boolean {
    return true;
  }
}

/** An answer is larger than allowed. If one request asked for several things, ask for fewer. */
export class ResponseTooLargeError extends Error implements ClassifiedError {
  override readonly name = "ResponseTooLargeError";

  isRetryable(): boolean {
    return false;
  }
}
