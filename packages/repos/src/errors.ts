/**
 * What can be wrong with a repository as its host serves it. Who walks it decides by the class what to do next:
 * give the repository up, fetch again, take the new commit, or walk instead of downloading.
 */
import { cidToText } from "@firehose-backfill/core/cid";
import type { ClassifiedError } from "@firehose-backfill/core/errors";

/** Everything that can be wrong with the data itself, in words that are stored, counted and shown: never rename one. */
export type BadRepoReason =
  /** The archive's form: its header, a section's length, a CID of another kind, more than is allowed. */
  | "bad-archive"
  /** A block is not the one that its CID names. */
  | "hash-mismatch"
  /** A node of the tree is malformed, or stands where it must not. */
  | "bad-node"
  | "bad-commit"
  /** The commit is of another account than the one that was asked for. */
  | "wrong-repo"
  | "rev-in-future"
  | "bad-signature";

/** The host serves data that no repository may have. Asking again does not help until the account's host mends it. */
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

/** The archive is larger than we keep in memory: the repository has to be walked. The same download would end the same way. */
export class ArchiveTooLargeError extends Error implements ClassifiedError {
  override readonly name = "ArchiveTooLargeError";

  isRetryable(): boolean {
    return false;
  }
}

/** Blocks that the commit refers to are not to be had: most often there is a newer commit. Take it, and go on at the key. */
export class MissingBlocksError extends Error implements ClassifiedError {
  override readonly name = "MissingBlocksError";
  /** As text; the first ten. */
  readonly cids: readonly string[];
  readonly count: number;

  constructor(cids: readonly Uint8Array[], options?: ErrorOptions) {
    super(`${cids.length} ${cids.length === 1 ? "block" : "blocks"} of the repository cannot be had`, options);
    this.cids = cids.slice(0, 10).map(cidToText);
    this.count = cids.length;
  }

  isRetryable(): boolean {
    return true;
  }
}

/** An answer is larger than allowed. Where several things were asked for at once, ask for fewer. */
export class ResponseTooLargeError extends Error implements ClassifiedError {
  override readonly name = "ResponseTooLargeError";

  isRetryable(): boolean {
    return false;
  }
}
