/**
 * How a walk begins: with the signed commit, verified, and the blocks that came with it. There are two ways: the proof of one key, which
 * costs one small request, or the whole archive.
 */
import { type PublicKey, verifySignature } from "@firehose-backfill/core/signature";
import { TornArchiveError } from "./errors.ts";
import { readSignedCommit, type SignedCommit, verifyCommit } from "./signed-commit.ts";
import { BlockTable } from "./walk/block-table.ts";
import { wantedIntervals } from "@firehose-backfill/core/key-interval";
import { intervalsAfter } from "./walk/key-intervals.ts";
import type { FetchBlocks } from "./walk/walk-ranges.ts";
import type { Archive, RepoAddress, RepoClient } from "./xrpc/repo-client.ts";
import { XrpcError } from "./xrpc/xrpc-error.ts";

/** What `walkRanges` needs of a repository. */
export interface OpenRepo {
  readonly commit: SignedCommit;
  readonly known: BlockTable;
  readonly fetchBlocks: FetchBlocks;
}

export interface OpenOptions {
  readonly client: RepoClient;
  readonly repo: RepoAddress;
  /** The account's signing key. */
  readonly key: PublicKey;
  /**
   * The keys that it had before, asked for where the signature is not of its key. A host that has imported a repository serves it as the host of before has signed
   * it, until the account writes again. Left out: only its key counts.
   */
  readonly earlierKeys?: () => Promise<readonly PublicKey[]>;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** @throws BadRepoError, RepoUnavailableError, XrpcError, HostError, HostWaitingError, ForbiddenAddressError */
export async function openByProof(
  options: OpenOptions,
  where: { readonly collections: readonly string[]; readonly after: string | null },
): Promise<OpenRepo> {
  const { client, repo, signal } = options;
  const from = intervalsAfter(wantedIntervals(where.collections), where.after)[0]?.from ?? "";
  const archive = await client.getRecord(repo, keyAt(from), signal).catch(async (error: unknown) => {
    // Some hosts refuse keys that are not in the tree, or keys that they would not write themselves.
    if (error instanceof XrpcError) return await latestCommit(options);
    throw error;
  });
  return await opened(archive, options);
}

/** @throws ArchiveTooLargeError, TornArchiveError, and what openByProof throws */
export async function openByArchive(options: OpenOptions, maxBytes: number): Promise<OpenRepo> {
  const { client, repo, signal } = options;
  return await opened(await client.getRepo(repo, { maxBytes }, signal), options);
}

async function latestCommit({ client, repo, signal }: OpenOptions): Promise<Archive> {
  const { cid } = await client.getLatestCommit(repo, signal);
  const blocks = new BlockTable();
  for (const block of await client.getBlocks(repo, [cid], signal)) {
    const bytes = Buffer.concat([cid, block]);
    blocks.put(bytes, 0, bytes.length);
  }
  return { root: cid, blocks };
}

async function opened({ root, blocks }: Archive, options: OpenOptions): Promise<OpenRepo> {
  const { client, repo, nowMs } = options;
  const block = blocks.get(root);
  if (block === null) throw new TornArchiveError("the commit is not among the blocks that the host sent");
  const commit = readSignedCommit(block, { did: repo.did, cid: root, nowMs });
  await verifyOwner(commit, options);
  return { commit, known: blocks, fetchBlocks: (cids, signal) => client.getBlocks(repo, cids, signal) };
}

/** @throws BadRepoError, and what asking for keys throws */
async function verifyOwner(commit: SignedCommit, { key, earlierKeys }: OpenOptions): Promise<void> {
  try {
    verifyCommit(commit, key);
  } catch (error) {
    const keys = (await earlierKeys?.()) ?? [];
    if (!keys.some((each) => verifySignature(each, commit.unsigned, commit.signature))) throw error;
  }
}

/** A host accepts a collection with this many segments; used where the first key of an interval is requested. */
const LEAST_SEGMENTS = 3;

/** A valid key at or just after the beginning of an interval: its proof holds the nodes that lead the walk there. */
export function keyAt(from: string): string {
  const slash = from.indexOf("/");
  // "-" is the lowest record key that hosts accept.
  if (slash !== -1) return slash === from.length - 1 ? `${from}-` : from;
  const segments = from.split(".").filter((segment) => segment !== "");
  while (segments.length < LEAST_SEGMENTS) segments.push("a");
  return `${segments.join(".")}/-`;
}
