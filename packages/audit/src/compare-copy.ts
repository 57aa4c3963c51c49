/** The rows of one repository, read in one snapshot at the pace, compared with the tree of a signed commit. */
import type { OpenRepo } from "@firehose-backfill/repos/open-repo";
import { wantedIntervals } from "@firehose-backfill/core/key-interval";
import type { CopyEntry, CopyReader } from "@firehose-backfill/sink/copy-reader";
import { compareRows, MAX_KEPT_ROWS, settle } from "./compare/compare-tree.ts";
import { coverTree } from "./compare/cover-tree.ts";
import { type Entry, entryOf } from "./compare/entry.ts";
import { Findings } from "./compare/findings.ts";
import type { ReadPace } from "./read-pace.ts";

export interface CopyDeps {
  readonly copy: CopyReader;
  readonly pace: ReadPace;
  /** Empty: all. */
  readonly collections: readonly string[];
}

export interface ComparedCopy {
  /** The newest revision of which something was applied. */
  readonly copyRev: string | null;
  readonly findings: Findings;
}

/**
 * `newerThan`: rows above this revision are not judged; null: all are.
 * @throws SinkError, NotWellError, BadRepoError, MissingBlocksError, and what asking the host throws
 */
export async function compareCopy(
  did: string,
  { commit, known, fetchBlocks }: OpenRepo,
  { copy, pace, collections, newerThan }: CopyDeps & { readonly newerThan: string | null },
  signal: AbortSignal,
): Promise<ComparedCopy> {
  const findings = new Findings();
  const tree = { data: commit.data, known, fetchBlocks, intervals: wantedIntervals(collections) };
  const comparison = { tree, findings, room: { left: MAX_KEPT_ROWS }, signal };
  // Before the snapshot is taken: while it lasts nobody's host should be waited for.
  const pieces = await coverTree(tree, signal);
  await pace.whenWell(signal);
  if (signal.aborted) return { copyRev: null, findings };
  const { copyRev, rest } = await copy.look(did, async (picture) => {
    let newest = picture.rev;
    const read = async function* (above: string, below: string): AsyncGenerator<readonly Entry[]> {
      for await (const page of picture.entries({ above, below })) {
        newest = newestOf(page, newest);
        yield entriesOf(page, newerThan);
        await pace.afterRows(page.length, signal);
        if (signal.aborted) return;
      }
    };
    return { rest: await compareRows(comparison, pieces, read), copyRev: newest };
  });
  await settle(comparison, rest);
  return { copyRev, findings };
}

function newestOf(page: readonly CopyEntry[], before: string | null): string | null {
  let newest = before;
  for (const { rev } of page) if (newest === null || rev > newest) newest = rev;
  return newest;
}

function entriesOf(page: readonly CopyEntry[], newerThan: string | null): readonly Entry[] {
  const entries: Entry[] = [];
  for (const row of page) {
    const entry = entryOf(row, newerThan);
    if (entry !== null) entries.push(entry);
  }
  return entries;
}
