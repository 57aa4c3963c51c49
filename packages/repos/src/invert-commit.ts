/**
 * Undoes the operations of a commit on the part of its tree that came with it. The root that comes out must be the root of the commit before
 * (`prevData`): then the operations are all that the commit has changed, and none was left out.
 */
import { cidEquals, cidToText } from "@firehose-backfill/core/cid";
import { BadRepoError } from "./errors.ts";
import { createTreeBuilder, UnjoinedSubtreesError } from "./tree/tree-builder.ts";
import { childrenOf, type Item, rootItem } from "./walk/frontier.ts";
import { wantedIntervals } from "@firehose-backfill/core/key-interval";

export interface CommitOperation {
  readonly action: "create" | "update" | "delete";
  /** `collection/rkey`. */
  readonly key: string;
  /** CID of the record since the commit; null for a delete. */
  readonly cid: Uint8Array | null;
  /** CID of the record before the commit; null for a create. */
  readonly prev: Uint8Array | null;
}

export interface CommitTree {
  /** CID of the root, as the commit has it. */
  readonly data: Uint8Array;
  /** The node that came with the commit, checked against its CID; null: it did not come. */
  readonly blockOf: (cid: Uint8Array) => Buffer | null;
}

/** Words that are stored and counted: never rename one. */
export type InversionProblem =
  /** A node did not come that is needed to undo the operations. */
  | "missing-node"
  /** The tree does not hold what an operation says, or an operation lacks what it must say. */
  | "wrong-operation"
  /** A node of the tree is not sound. */
  | "bad-node";

export type Inversion =
  | { readonly kind: "inverted"; readonly prevData: Uint8Array }
  | { readonly kind: "refused"; readonly problem: InversionProblem; readonly detail: string };

/** Never throws, whatever the nodes and the operations say. Costs as many hashes as nodes came, and no request. */
export function invertCommit(tree: CommitTree, operations: readonly CommitOperation[]): Inversion {
  try {
    return { kind: "inverted", prevData: rootBefore(knownParts(tree), sortedByKey(operations)) };
  } catch (error) {
    if (error instanceof Refusal) return { kind: "refused", problem: error.problem, detail: error.message };
    if (error instanceof UnjoinedSubtreesError)
      return { kind: "refused", problem: "missing-node", detail: error.message };
    if (error instanceof BadRepoError) return { kind: "refused", problem: "bad-node", detail: error.message };
    throw error;
  }
}

/** Above every key that a tree may hold: those are ASCII. */
const HIGHEST = "\u{10FFFF}";

/** Ends the inversion; stays in this file. */
class Refusal extends Error {
  override readonly name = "Refusal";
  readonly problem: InversionProblem;

  constructor(problem: InversionProblem, message: string) {
    super(message);
    this.problem = problem;
  }

  isRetryable(): boolean {
    return false;
  }
}

/** From left to right: records, and subtrees whose node did not come. @throws BadRepoError, Refusal */
function* knownParts({ data, blockOf }: CommitTree): Generator<Item, void, undefined> {
  const all = { intervals: wantedIntervals([]), sinceTid: null };
  const stack: Item[] = [rootItem(data)];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const block = item.kind === "node" ? blockOf(item.cid) : null;
    if (item.kind === "node" && block !== null) stack.push(...childrenOf(item, block, all).toReversed());
    else yield item;
  }
}

function sortedByKey(operations: readonly CommitOperation[]): readonly CommitOperation[] {
  const sorted = operations.toSorted((left, right) => (left.key < right.key ? -1 : 1));
  for (const [index, { key }] of sorted.entries()) {
    if (index > 0 && sorted[index - 1]?.key === key) throw wrong(`${key} is changed twice`);
  }
  return sorted;
}

function rootBefore(parts: Iterable<Item>, operations: readonly CommitOperation[]): Uint8Array {
  const builder = createTreeBuilder();
  let next = 0;
  /** Operations on keys before `below` that the tree does not have: records that the commit has deleted. */
  const bringBack = (below: string): void => {
    for (const one of operations.slice(next)) {
      if (one.key >= below) return;
      next += 1;
      if (one.action !== "delete") throw wrong(`${one.key} is not in the tree`);
      builder.add(one.key, before(one));
    }
  };
  for (const part of parts) {
    if (part.kind === "record") {
      bringBack(part.key);
      const operation = operations[next]?.key === part.key ? operations[next] : undefined;
      if (operation !== undefined) next += 1;
      putBack(builder, part.key, part.cid, operation);
      continue;
    }
    const { above, below, layer, cid } = part;
    bringBack(above);
    const within = operations[next]?.key ?? below;
    if (layer === null || within < below) throw missing(`the node ${cidToText(cid)} did not come`);
    builder.addSubtree(cid, layer);
  }
  bringBack(HIGHEST);
  return builder.finish();
}

function putBack(
  builder: ReturnType<typeof createTreeBuilder>,
  key: string,
  cid: Uint8Array,
  operation: CommitOperation | undefined,
): void {
  if (operation === undefined) {
    builder.add(key, cid);
    return;
  }
  const { action, cid: after } = operation;
  if (action === "delete") throw wrong(`${key} is still in the tree`);
  if (after === null || !cidEquals(after, cid)) throw wrong(`${key} has another CID in the tree`);
  if (action === "update") builder.add(key, before(operation));
}

function before({ key, prev }: CommitOperation): Uint8Array {
  if (prev === null) throw wrong(`${key}: the operation does not say what was there before`);
  return prev;
}

function wrong(message: string): Refusal {
  return new Refusal("wrong-operation", message);
}

function missing(message: string): Refusal {
  return new Refusal("missing-node", message);
}
