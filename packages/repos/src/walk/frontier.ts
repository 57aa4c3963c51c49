/**
 * The part of the tree that a walk has not visited yet: nodes and records to the right of its position, on one path from the root. A node is
 * replaced by its children when the walk reaches it, so the size depends on the tree's depth and not on its length.
 */
import { cidToText } from "@firehose-backfill/core/cid";
import { BadRepoError } from "../errors.ts";
import { decodeNode, type TreeNode } from "../tree/node.ts";
import type { KeyInterval } from "@firehose-backfill/core/key-interval";
import { isWanted, meetsBetween } from "./key-intervals.ts";
import { isOlder } from "./key-time.ts";

export interface NodeItem {
  readonly kind: "node";
  readonly cid: Uint8Array;
  bytes: Buffer | null;
  /** null: the root, whose own keys determine its layer. */
  readonly layer: number | null;
  /** Its keys lie between these two. */
  readonly above: string;
  readonly below: string;
}

export interface RecordItem {
  readonly kind: "record";
  readonly cid: Uint8Array;
  bytes: Buffer | null;
  readonly key: string;
}

export type Item = NodeItem | RecordItem;

export interface Wanted {
  readonly intervals: readonly KeyInterval[];
  /** Record keys that are TIDs below this one are skipped. */
  readonly sinceTid: string | null;
}

/** Finding a key of layer 40 takes 2^80 hashes, so no real tree is higher. */
const MAX_LAYER = 40;

export function rootItem(cid: Uint8Array): NodeItem {
  return { kind: "node", cid, bytes: null, layer: null, above: "", below: "\u007f" };
}

/** The wanted children of a node whose block is here, from left to right. @throws BadRepoError */
export function childrenOf(item: NodeItem, bytes: Buffer, wanted: Wanted): readonly Item[] {
  const node = decodeNode(bytes);
  const layer = layerOf(node, item);
  checkPlace(node, item, layer);
  const { intervals, sinceTid } = wanted;
  const items: Item[] = [];
  const addNode = (cid: Uint8Array | null, above: string, below: string): void => {
    if (cid === null || !meetsBetween(intervals, above, below)) return;
    items.push({ kind: "node", cid, bytes: null, layer: layer - 1, above, below });
  };
  const { entries, left } = node;
  addNode(left, item.above, entries[0]?.key ?? item.below);
  for (const [index, { key, value, tree }] of entries.entries()) {
    const isTaken = isWanted(intervals, key) && (sinceTid === null || !isOlder(key, sinceTid));
    if (isTaken) items.push({ kind: "record", cid: value, bytes: null, key });
    addNode(tree, key, entries[index + 1]?.key ?? item.below);
  }
  return items;
}

function layerOf(node: TreeNode, item: NodeItem): number {
  if (item.layer === null) {
    const isEmptyTree = node.layer === null && node.left === null;
    if (node.layer === null && !isEmptyTree) throw bad(item, "the root holds no key, but a node below it");
    return node.layer ?? 0;
  }
  if (node.layer === null && node.left === null) throw bad(item, "it is empty, and not the root");
  if (node.layer !== null && node.layer !== item.layer) {
    throw bad(item, `its keys are of layer ${node.layer}; it stands on layer ${item.layer}`);
  }
  return item.layer;
}

function checkPlace(node: TreeNode, item: NodeItem, layer: number): void {
  const { entries, left } = node;
  const first = entries[0];
  const last = entries.at(-1);
  if (layer > MAX_LAYER) throw bad(item, `the tree is higher than ${MAX_LAYER} layers`);
  if (layer === 0 && (left !== null || entries.some(({ tree }) => tree !== null))) {
    throw bad(item, "it stands on the lowest layer and has a node below it");
  }
  if (first !== undefined && first.key <= item.above)
    throw bad(item, "its first key is not above what comes before it");
  if (last !== undefined && last.key >= item.below) throw bad(item, "its last key is not below what comes after it");
}

function bad(item: NodeItem, what: string): BadRepoError {
  return new BadRepoError("bad-node", `the node ${cidToText(item.cid)} is out of place: ${what}`);
}
