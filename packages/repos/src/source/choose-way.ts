/**
 * How many records a repository has, and how many of them are wanted, from the nodes at the top of its tree: a key stands on a layer with a quarter of the
 * chance of the layer below it. The root alone tells little, it often holds one key; with its children (and theirs, where they are few) some ten keys are counted.
 */
import { CID_LENGTH } from "@firehose-backfill/core/cid";
import type { OpenRepo } from "../open-repo.ts";
import { decodeNode, type TreeNode } from "../tree/node.ts";
import { isWanted } from "../walk/key-intervals.ts";
import type { Wanted } from "../walk/frontier.ts";
import { isOlder } from "../walk/key-time.ts";

export interface RepoSize {
  readonly records: number;
  readonly wanted: number;
  /** Keys that it was counted by. */
  readonly counted: number;
}

const FAN_OUT = 4;
const ENOUGH_KEYS = 12;
/** Nodes a request. */
const MOST_NODES = 200;
/** A repository that is so small is walked with a few requests. */
const SMALL_LAYER = 2;
/** The archive of one whose root is not above this layer is small: 256 records on average. */
const SMALL_ARCHIVE_LAYER = 3;

/** As sizeOf(), for a plan: also of a small one, and where nothing that is wanted is seen. */
export async function estimateSize(repo: OpenRepo, wanted: Wanted, signal: AbortSignal): Promise<RepoSize> {
  return (await countKeys(repo, wanted, signal)) ?? { records: 0, wanted: 0, counted: 0 };
}

/** null: it is small, or what is wanted of it. What was fetched is put among the known blocks. @throws what fetching throws, BadRepoError */
export async function sizeOf(repo: OpenRepo, wanted: Wanted, signal: AbortSignal): Promise<RepoSize | null> {
  const [root] = pathOf(repo);
  if (root === undefined || (root.layer ?? 0) <= SMALL_LAYER) return null;
  // Of what the proof shows nothing is wanted: it is a sliver, if it is there at all, and asking for more would cost more than the walk.
  if (!seesWanted(repo, wanted)) return null;
  return await countKeys(repo, wanted, signal);
}

/** A small repository of which something is wanted is cheaper as an archive: one request, instead of one for each layer of its tree. */
export function isSmall(repo: OpenRepo, wanted: Wanted): boolean {
  const [root] = pathOf(repo);
  return root !== undefined && (root.layer ?? 0) <= SMALL_ARCHIVE_LAYER && seesWanted(repo, wanted);
}

function seesWanted(repo: OpenRepo, wanted: Wanted): boolean {
  return pathOf(repo).some((node) => node.entries.some(({ key }) => isTaken(key, wanted)));
}

async function countKeys(repo: OpenRepo, wanted: Wanted, signal: AbortSignal): Promise<RepoSize | null> {
  const [root] = pathOf(repo);
  if (root === undefined) return null;
  let level: readonly TreeNode[] = [root];
  let layer = root.layer ?? 0;
  const keys = keysOf(level);
  while (keys.length < ENOUGH_KEYS && layer > 0) {
    const children = level.flatMap(({ left, entries }) => [left, ...entries.map(({ tree }) => tree)]);
    const cids = children.filter((cid) => cid !== null).slice(0, MOST_NODES);
    if (cids.length === 0) break;
    level = await nodesOf(repo, cids, signal);
    keys.push(...keysOf(level));
    layer -= 1;
  }
  const taken = keys.filter((key) => isTaken(key, wanted));
  const each = FAN_OUT ** layer;
  return { records: keys.length * each, wanted: taken.length * each, counted: keys.length };
}

function isTaken(key: string, { intervals, sinceTid }: Wanted): boolean {
  return isWanted(intervals, key) && (sinceTid === null || !isOlder(key, sinceTid));
}

/** The nodes that came with the proof. */
function pathOf({ known, commit }: OpenRepo): readonly TreeNode[] {
  const nodes: TreeNode[] = [];
  const cids: Uint8Array[] = [commit.data];
  for (let cid = cids.pop(); cid !== undefined && nodes.length < MOST_NODES; cid = cids.pop()) {
    const block = known.get(cid);
    if (block === null) continue;
    const node = decodeNode(block);
    nodes.push(node);
    for (const child of [node.left, ...node.entries.map(({ tree }) => tree)]) if (child !== null) cids.push(child);
  }
  return nodes;
}

function keysOf(nodes: readonly TreeNode[]): string[] {
  return nodes.flatMap(({ entries }) => entries.map(({ key }) => key));
}

async function nodesOf(repo: OpenRepo, cids: readonly Uint8Array[], signal: AbortSignal): Promise<readonly TreeNode[]> {
  const missing = cids.filter((cid) => repo.known.get(cid) === null);
  const blocks = missing.length === 0 ? [] : await repo.fetchBlocks(missing, signal);
  for (const [index, cid] of missing.entries()) {
    const section = Buffer.concat([cid, blocks[index] ?? Buffer.alloc(0)], CID_LENGTH + (blocks[index]?.length ?? 0));
    repo.known.put(section, 0, section.length);
  }
  return cids.map((cid) => decodeNode(repo.known.get(cid) ?? Buffer.alloc(0)));
}

/** Of an archive that is kept in memory: 23,000 records. */
export const MAX_ARCHIVE_BYTES = 8 * 1_048_576;
/** Of a small repository: there may be one for each repository in work. */
export const MAX_SMALL_ARCHIVE_BYTES = 262_144;
/** In an archive, a record and its share of the nodes take so many bytes. */
const BYTES_A_RECORD = 353;
/** An estimate from a dozen keys is off by a third, easily. */
const MARGIN = 1.3;
/** A whole walk costs a host about as much as so many archives. */
const ARCHIVES_A_WALK = 9;
/** A walk takes one more request for each so many records; an archive takes one. */
const FEW_RECORDS = 200;

/** `room`: records that the run can take before the archive is let go. */
export function isArchiveCheaper({ records, wanted }: RepoSize, room: number): boolean {
  return (
    wanted > FEW_RECORDS &&
    wanted * ARCHIVES_A_WALK > records &&
    records * BYTES_A_RECORD * MARGIN <= MAX_ARCHIVE_BYTES &&
    wanted <= room * ARCHIVES_A_WALK
  );
}
