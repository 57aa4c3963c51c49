/** The blocks of nodes: from what is here already, else from the host, many a request. */
import { cidToText } from "@firehose-backfill/core/cid";
import { ResponseTooLargeError } from "@firehose-backfill/repos/errors";
import type { NodeItem } from "@firehose-backfill/repos/walk/frontier";
import type { BlockTable } from "@firehose-backfill/repos/walk/block-table";
import type { FetchBlocks } from "@firehose-backfill/repos/walk/walk-ranges";

export interface NodeSource {
  /** Blocks that are here already. */
  readonly known: BlockTable;
  readonly fetchBlocks: FetchBlocks;
}

/** A URL holds no more than about 240. */
export const MAX_NODES = 200;

/** @throws MissingBlocksError, and what fetchBlocks throws */
export async function loadNodes(
  items: readonly NodeItem[],
  { known, fetchBlocks }: NodeSource,
  signal: AbortSignal,
): Promise<ReadonlyMap<NodeItem, Buffer>> {
  const blocks = new Map<NodeItem, Buffer>();
  const wanted = new Map<string, NodeItem[]>();
  for (const item of items) {
    const block = known.get(item.cid);
    if (block === null) {
      const text = cidToText(item.cid);
      wanted.set(text, [...(wanted.get(text) ?? []), item]);
    } else blocks.set(item, block);
  }
  const open = [...wanted.values()];
  let size = MAX_NODES;
  while (open.length > 0) {
    const batch = open.slice(0, size);
    const cids = batch.flatMap(([item]) => (item === undefined ? [] : [item.cid]));
    try {
      const fetched = await fetchBlocks(cids, signal);
      for (const [index, same] of batch.entries()) {
        const block = fetched[index];
        if (block !== undefined) for (const item of same) blocks.set(item, block);
      }
      open.splice(0, batch.length);
    } catch (error) {
      if (!(error instanceof ResponseTooLargeError) || batch.length === 1) throw error;
      size = Math.ceil(batch.length / 2);
    }
  }
  return blocks;
}
