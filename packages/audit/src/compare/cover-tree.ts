/**
 * The pieces of a tree that cover the wanted collections exactly: subtrees that lie within them, and the records that stand between those. Only the nodes at
 * the edges of the collections are fetched; of a whole repository none.
 */
import { childrenOf, type Item, type NodeItem, rootItem } from "@firehose-backfill/repos/walk/frontier";
import type { KeyInterval } from "@firehose-backfill/core/key-interval";
import { coversBetween } from "@firehose-backfill/repos/walk/key-intervals";
import { loadNodes, type NodeSource } from "./load-nodes.ts";

export interface RemoteTree extends NodeSource {
  /** CID of its root. */
  readonly data: Uint8Array;
  /** The wanted collections. */
  readonly intervals: readonly KeyInterval[];
}

/** In key order. @throws BadRepoError, MissingBlocksError, and what fetchBlocks throws */
export async function coverTree(tree: RemoteTree, signal: AbortSignal): Promise<readonly Item[]> {
  const { intervals } = tree;
  let pieces: readonly Item[] = [rootItem(tree.data)];
  for (;;) {
    const edges = pieces.filter(
      (piece): piece is NodeItem => piece.kind === "node" && !coversBetween(intervals, piece.above, piece.below),
    );
    if (edges.length === 0) return pieces;
    const blocks = await loadNodes(edges, tree, signal);
    pieces = pieces.flatMap((piece) => {
      const block = piece.kind === "node" ? blocks.get(piece) : undefined;
      return piece.kind === "node" && block !== undefined
        ? childrenOf(piece, block, { intervals, sinceTid: null })
        : [piece];
    });
  }
}
