/**
 * What is known of the history of a repository: stretches of commits that connect, in the order of their revisions. Batches are
 * applied in any order, so a link may come before the one that it connects to. Then it begins a stretch of its own, and the gap
 * closes when the other one comes. A gap that stays is a commit that was never received. Pure.
 */
import type { LinkRow } from "@firehose-backfill/sink/rows";

export interface Stretch {
  /** What its first link says of the commit before it. */
  readonly since: string | null;
  readonly prevData: string | null;
  readonly isSync: boolean;
  /** Root after its first link: a #sync connects to a commit with the same one. */
  readonly firstRoot: string;
  readonly firstRev: string;
  readonly rev: string;
  readonly root: string;
}

export interface Chain {
  /** A gap was forgotten, because there were too many: it never closes. */
  readonly isCut: boolean;
  readonly stretches: readonly Stretch[];
}

export interface Linked {
  readonly chain: Chain;
  /** stale: nothing new. */
  readonly kind: "stale" | "connected" | "opened";
  /** The last gap has closed. */
  readonly isClosed: boolean;
}

export const MAX_STRETCHES = 16;
export const NO_CHAIN: Chain = { isCut: false, stretches: [] };

export function addLink(chain: Chain, row: LinkRow): Linked {
  const link = stretchOf(row);
  const { stretches } = chain;
  const after = stretches.findLastIndex(({ firstRev }) => firstRev <= link.rev);
  const left = stretches[after];
  // The first link that is seen of a repository is the base, and what is older is not compared.
  if (left === undefined && stretches.length > 0) return { chain, kind: "stale", isClosed: false };
  if (left !== undefined && link.rev <= left.rev) {
    // Applied again after a crash, it has to say the same.
    const isGap = after > 0 && link.rev === left.firstRev;
    return { chain, kind: isGap ? "opened" : "stale", isClosed: false };
  }
  const isConnected = left === undefined || connects(left, link);
  const right = stretches[after + 1];
  const own = left !== undefined && isConnected ? { ...left, rev: link.rev, root: link.root } : link;
  const joins = right !== undefined && connects(own, right);
  const last = joins ? { ...own, rev: right.rev, root: right.root } : own;
  const before = stretches.slice(0, isConnected ? Math.max(0, after) : after + 1);
  const all = [...before, last, ...stretches.slice(after + (joins ? 2 : 1))];
  const isCut = chain.isCut || all.length > MAX_STRETCHES;
  return {
    chain: { isCut, stretches: all.slice(-MAX_STRETCHES) },
    kind: isConnected ? "connected" : "opened",
    isClosed: joins && all.length === 1 && !isCut,
  };
}

function connects(left: Stretch, right: Stretch): boolean {
  if (right.isSync) return left.root === right.firstRoot;
  return right.since === left.rev && (right.prevData === null || right.prevData === left.root);
}

function stretchOf({ rev, since, prevData, data, isSync }: LinkRow): Stretch {
  const root = textOf(data);
  const before = prevData === null ? null : textOf(prevData);
  return { since, prevData: before, isSync, firstRoot: root, firstRev: rev, rev, root };
}

function textOf(cid: Uint8Array): string {
  return Buffer.from(cid).toString("base64url");
}

/** As it is stored. */
export function writeChain({ isCut, stretches }: Chain): string {
  return JSON.stringify({ isCut, stretches });
}

/** @throws SyntaxError for what writeChain() did not write */
export function readChain(text: string | null): Chain {
  if (text === null) return NO_CHAIN;
  const chain: Chain = JSON.parse(text);
  return chain;
}
