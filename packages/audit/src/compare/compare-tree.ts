/**
 * Compares the copy's rows with a repository's tree. First whole subtrees; where one is not equal its node is fetched and its children are compared, down to
 * the records. So an equal repository costs no request, a single difference one path of nodes, and memory does not grow with the repository.
 */
import { childrenOf, type Item } from "@firehose-backfill/repos/walk/frontier";
import type { RemoteTree } from "./cover-tree.ts";
import type { Entry } from "./entry.ts";
import type { Findings } from "./findings.ts";
import { PieceJudge, type Pieces, type Room, type UnequalPiece } from "./judge-pieces.ts";
import { loadNodes, MAX_NODES } from "./load-nodes.ts";

/** The copy's rows between two paths, neither of them included, in key order. */
export type ReadEntries = (above: string, below: string) => AsyncIterable<readonly Entry[]>;

export interface Comparison {
  readonly tree: RemoteTree;
  readonly findings: Findings;
  readonly room: Room;
  readonly signal: AbortSignal;
}

/** Rows that are kept, in all: about 15 MB. */
export const MAX_KEPT_ROWS = 50_000;

/**
 * One pass over the copy's rows, and further ones over those subtrees that are not equal and too large to keep. What comes back is left to `settle`, which
 * needs the database no more.
 * @throws BadRepoError, MissingBlocksError, and what fetchBlocks and `read` throw
 */
export async function compareRows(
  comparison: Comparison,
  items: readonly Item[],
  read: ReadEntries,
): Promise<readonly UnequalPiece[]> {
  const { tree, findings, signal } = comparison;
  const parts = tree.intervals.map(({ from, to }) => read(from, to));
  let open = await judge(comparison, { items, parent: null }, parts);
  while (!findings.isFull && !signal.aborted) {
    const large = open.filter(({ entries }) => entries === null).slice(0, MAX_NODES);
    if (large.length === 0) break;
    open = await expand(comparison, open, new Set(large), read);
  }
  return open;
}

/** The rest: pieces whose rows are kept. @throws as compareRows */
export async function settle(comparison: Comparison, pieces: readonly UnequalPiece[]): Promise<void> {
  const { findings, signal } = comparison;
  let open = pieces;
  while (open.length > 0 && !findings.isFull && !signal.aborted) {
    open = await expand(comparison, open, new Set(open.slice(0, MAX_NODES)), none);
  }
}

/** Puts the children of the chosen pieces that are not equal in their places. */
async function expand(
  comparison: Comparison,
  open: readonly UnequalPiece[],
  chosen: ReadonlySet<UnequalPiece>,
  read: ReadEntries,
): Promise<readonly UnequalPiece[]> {
  const { tree, findings, room, signal } = comparison;
  const blocks = await loadNodes(
    [...chosen].map(({ item }) => item),
    tree,
    signal,
  );
  const next: UnequalPiece[] = [];
  for (const piece of open) {
    const { item, entries } = piece;
    const block = chosen.has(piece) ? blocks.get(item) : undefined;
    if (block === undefined || findings.isFull) {
      next.push(piece);
      continue;
    }
    const items = childrenOf(item, block, { intervals: tree.intervals, sinceTid: null });
    room.left += entries?.length ?? 0;
    const rows = entries === null ? read(item.above, item.below) : [entries];
    next.push(...(await judge(comparison, { items, parent: item.cid }, [rows])));
  }
  return next;
}

async function judge(
  { findings, room, signal }: Comparison,
  pieces: Pieces,
  parts: Iterable<AsyncIterable<readonly Entry[]> | Iterable<readonly Entry[]>>,
): Promise<readonly UnequalPiece[]> {
  const judging = new PieceJudge(pieces, findings, room);
  for (const pages of parts) {
    for await (const page of pages) {
      for (const entry of page) judging.take(entry);
      if (signal.aborted) return [];
    }
  }
  return judging.finish();
}

const none: ReadEntries = async function* () {};
