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
  /** The run that brought the base, the first link that is known. Of the same run, older links may still be on their way. */
  readonly runId: string;
  /** A gap was forgotten, because there were too many: it never closes. */
  readonly isCut: boolean;
  readonly stretches: readonly Stretch[];
}

export interface Linked {
  readonly chain: Chain;
  /** The link was known, or is older than the base. */
  readonly isStale: boolean;
  /** What stands behind the gap that this link has opened, now or before a crash. */
  readonly gap: Stretch | null;
  /** The last gap has closed. */
  readonly isClosed: boolean;
}

export const MAX_STRETCHES = 16;

/** `chain` null: nothing is known of the repository. */
export function addLink(chain: Chain | null, row: LinkRow, runId: string): Linked {
  const link = stretchOf(row);
  if (chain === null) {
    return { chain: { runId, isCut: false, stretches: [link] }, isStale: false, gap: null, isClosed: false };
  }
  const { stretches } = chain;
  const after = stretches.findLastIndex(({ firstRev }) => firstRev <= link.rev);
  const left = stretches[after];
  const right = stretches[after + 1];
  const stale = { chain, isStale: true, gap: null, isClosed: false };
  // Another run has read on from the base, and what that one found missing before it is not known.
  if (left === undefined && chain.runId !== runId) return stale;
  if (left !== undefined && link.rev <= left.rev) {
    // Applied again after a crash, it has to say the same.
    return link.rev === left.firstRev ? { ...stale, gap: (after > 0 ? left : right) ?? null } : stale;
  }
  const isConnected = left !== undefined && connects(left, link);
  const own = isConnected ? { ...left, rev: link.rev, root: link.root } : link;
  const joins = right !== undefined && connects(own, right);
  const last = joins ? { ...own, rev: right.rev, root: right.root } : own;
  const before = stretches.slice(0, isConnected ? after : after + 1);
  const all = [...before, last, ...stretches.slice(after + (joins ? 2 : 1))];
  const isCut = chain.isCut || all.length > MAX_STRETCHES;
  const opened = left === undefined ? (joins ? null : right) : isConnected ? null : last;
  return {
    chain: { runId: chain.runId, isCut, stretches: all.slice(-MAX_STRETCHES) },
    isStale: false,
    gap: opened ?? null,
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

/** @throws SyntaxError for what is not the JSON text of a chain */
export function readChain(text: string): Chain {
  const chain: Chain = JSON.parse(text);
  return chain;
}
