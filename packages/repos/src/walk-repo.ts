/**
 * Walks a repository that may change meanwhile: if blocks of its commit are gone, the walk takes the newest commit and goes on at its key.
 * The ranges may come from several revisions; each names its own.
 */
import { cidEquals } from "@firehose-backfill/core/cid";
import { MissingBlocksError } from "./errors.ts";
import type { OpenRepo } from "./open-repo.ts";
import type { ProvedRange } from "./walk/proved-range.ts";
import { type WalkOptions, walkRanges } from "./walk/walk-ranges.ts";

export interface WalkRepoOptions extends Pick<
  WalkOptions,
  "collections" | "after" | "sinceMs" | "limits" | "signal" | "maxBatch" | "maxHeldBytes" | "roomLeft"
> {
  /** Opens the repository at its newest commit, for a walk that begins after a key. */
  readonly open: (after: string | null) => Promise<OpenRepo>;
  /** How often the commit may change without a range in between: a repository that changes all the time is left for later. */
  readonly maxMoves?: number;
}

const MAX_MOVES = 5;

/**
 * Changes behind the walk's position are left to the firehose or the next walk. The revision that is valid for the whole repository is the
 * lowest of the ranges' revisions.
 * @throws MissingBlocksError where the newest commit lacks blocks itself, or moves on too often; what walkRanges and `open` throw
 */
export async function* walkRepo(options: WalkRepoOptions): AsyncGenerator<ProvedRange, void, undefined> {
  const { open, maxMoves = MAX_MOVES, signal } = options;
  let { after } = options;
  let moves = 0;
  let last: OpenRepo | null = null;
  let missing: MissingBlocksError | null = null;
  while (!signal.aborted) {
    const opened = await open(after).catch((error: unknown) => {
      moves += 1;
      if (!(error instanceof MissingBlocksError) || moves > maxMoves) throw error;
      // The commit moved on between two requests of the opening.
      return null;
    });
    if (opened === null) continue;
    const isSame =
      last !== null && cidEquals(last.commit.data, opened.commit.data) && last.commit.rev === opened.commit.rev;
    // If the commit is still the newest, its blocks are not gone: they were never there.
    if (isSame && missing !== null) throw missing;
    last = opened;
    try {
      for await (const range of walkRanges({ ...options, ...opened, after })) {
        yield range;
        after = range.to;
        moves = 0;
      }
      return;
    } catch (error) {
      moves += 1;
      if (!(error instanceof MissingBlocksError) || moves > maxMoves) throw error;
      missing = error;
    }
  }
}
