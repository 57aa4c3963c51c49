/**
 * What is known of the history of a repository: sequences of connected commits, in the order of their revisions. Batches are
 * applied in any order, so a link may arrive before the one to which it connects. Then it begins a new sequence, and the gap
 * closes when the missing link arrives. If a gap stays, a commit was never received. Pure.
 */
import type { LinkRow } from "@firehose-backfill/sink/rows";

export interface Stretch {
  /** What the first link says about the commit before it. */
  readonly since: string | null;
  readonly prevData: string | null;
  readonly isSync: boolean;
  /** The tree's root after the first link. A #sync connects to a commit with the same root. */
  readonly firstRoot: string;
  readonly firstRev: string;
  readonly rev: string;
  readonly root: string;
}

export interface Chain {
  /** The run that applied the base, which is the first known link. Older links of the same run may still arrive. */
  readonly runId: string;
  /** There were too many gaps, so one was removed. It never closes. */
  readonly isCut: boolean;
  readonly stretches: readonly Stretch[];
}

export interface Linked {
  readonly chain: Chain;
  /** The link was already known, or it is older than the base. */
  readonly isStale: boolean;
  /** The link after the gap that this link has opened, now or before a crash. */
  readonly gap: Stretch | null;
  /** The last gap closed. */
  readonly isClosed: boolean;
}

export const MAX_STRETCHES = 16;

/**
 * `known` null: nothing is known about the repository.
 *
 * `provedRev`: a walk has proved everything that is wanted at this revision, so the table has what was missing before it. The
 * chain begins anew there. Without this, an old gap would stay open for ever: a gap that opens after it would never be the last
 * one to close, so its request would never be withdrawn.
 */
export function addLink(known: Chain | null, row: LinkRow, runId: string, provedRev: string | null = null): Linked {
  const link = stretchOf(row);
  if (known === null) {
    return { chain: { runId, isCut: false, stretches: [link] }, isStale: false, gap: null, isClosed: false };
  }
  const chain = beginAnew(known, provedRev);
  const { stretches } = chain;
  const after = stretches.findLastIndex(({ firstRev }) => firstRev <= link.rev);
  const left = stretches[after];
  const right = stretches[after + 1];
  const stale = { chain, isStale: true, gap: null, isClosed: false };
  const [base] = stretches;
  if (base !== undefined && isProved(base, provedRev) && link.rev <= (provedRev ?? "")) return stale;
  // Another run continued after the base. Whether that run missed commits before it is not known.
  if (left === undefined && chain.runId !== runId) return stale;
  if (left?.isSync === true && !link.isSync && link.rev === left.firstRev && link.root === left.firstRoot) {
    return addRepeated(chain, after, { ...left, since: link.since, prevData: link.prevData, isSync: false }, provedRev);
  }
  if (left !== undefined && link.rev <= left.rev) {
    // If the link is applied again after a crash, the result must be the same.
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
  const next = beginAnew({ runId: chain.runId, isCut, stretches: all.slice(-MAX_STRETCHES) }, provedRev);
  return {
    chain: next,
    isStale: false,
    gap: opened === undefined || opened === null || isProved(opened, provedRev) ? null : opened,
    isClosed: joins && isWhole(next),
  };
}

/** The gaps that the walk has filled are left out, and what is before them. */
function beginAnew(chain: Chain, provedRev: string | null): Chain {
  const base = chain.stretches.findLastIndex((stretch) => isProved(stretch, provedRev));
  if (base === -1 || (base === 0 && !chain.isCut)) return chain;
  return { ...chain, isCut: false, stretches: chain.stretches.slice(base) };
}

/** The walk has read what is between this stretch and the one before it. */
function isProved({ firstRev, since }: Stretch, provedRev: string | null): boolean {
  return provedRev !== null && (firstRev <= provedRev || (since !== null && since <= provedRev));
}

function isWhole({ stretches, isCut }: Chain): boolean {
  return stretches.length === 1 && !isCut;
}

/** The commit that a #sync repeated came after it: only now it is known to which commit it connects. */
function addRepeated(chain: Chain, place: number, known: Stretch, provedRev: string | null): Linked {
  const { stretches } = chain;
  const left = stretches[place - 1];
  const joins = left !== undefined && connects(left, known);
  const own = joins ? { ...left, rev: known.rev, root: known.root } : known;
  const all = [...stretches.slice(0, joins ? place - 1 : place), own, ...stretches.slice(place + 1)];
  const next = beginAnew({ ...chain, stretches: all }, provedRev);
  return {
    chain: next,
    isStale: false,
    gap: joins || left === undefined || isProved(known, provedRev) ? null : known,
    isClosed: joins && isWhole(next),
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

/** @throws SyntaxError if it is not the JSON text of a chain */
export function readChain(text: string): Chain {
  const chain: Chain = JSON.parse(text);
  return chain;
}
