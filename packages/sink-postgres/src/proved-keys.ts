/**
 * What has been proved about a repository's keys: intervals of keys, each with the revision at which everything in it is known.
 * An operation of that revision or an older one is older than what is known, also if there is no row. Without this, a creation
 * that arrives late would bring back a record whose deletion was never seen. It is stored with the repository in the
 * transaction that applies the range, so it always agrees with the tables. Pure.
 */
import type { KeyInterval } from "@firehose-backfill/core/key-interval";

/** The keys above `from`, up to and including `to`. */
export interface ProvedKeys {
  readonly from: string;
  readonly to: string;
  readonly rev: string;
  /** Record keys that are TIDs below this one are not covered. */
  readonly sinceTid: string | null;
}

/** A walk in order leaves one interval for each collection, and a few more while its ranges are applied. */
export const MOST_STRETCHES = 32;

/** Sorted by `from`. Intervals overlap only if neither of them contains all that the other one says. */
export function addProved(known: readonly ProvedKeys[], added: ProvedKeys): readonly ProvedKeys[] {
  let parts: readonly ProvedKeys[] = [added];
  for (const it of known) if (saysAllOf(it, added)) parts = parts.flatMap((part) => without(part, it));
  parts = parts.filter(isStretch);
  if (parts.length === 0) return known;
  const others = known.flatMap((it) =>
    saysAllOf(added, it)
      ? parts.reduce<readonly ProvedKeys[]>((left, part) => left.flatMap((one) => without(one, part)), [it])
      : [it],
  );
  return bounded(joined([...others, ...parts].toSorted(inOrder)));
}

/** The key up to which everything that the range says is already known. `range.from`: nothing is. */
export function provedUpTo(known: readonly ProvedKeys[], range: ProvedKeys): string {
  let upTo = range.from;
  for (const it of known)
    if (it.from <= upTo && it.to > upTo && saysAllOf(it, range)) upTo = it.to < range.to ? it.to : range.to;
  return upTo;
}

/** The newest revision at which all of these keys are proved, old records included. null: some of them are not. */
export function provedRevOf(known: readonly ProvedKeys[], wanted: readonly KeyInterval[]): string | null {
  const whole = known.filter(({ sinceTid }) => sinceTid === null);
  const revs = [...new Set(whole.map(({ rev }) => rev))].toSorted().toReversed();
  return revs.find((rev) => wanted.every((keys) => isCovered(whole, keys, rev))) ?? null;
}

/** `known` is sorted by `from`. */
function isCovered(known: readonly ProvedKeys[], { from, to }: KeyInterval, rev: string): boolean {
  let upTo = from;
  for (const it of known) if (it.rev >= rev && it.from <= upTo && it.to > upTo) upTo = it.to;
  return upTo >= to;
}

/** The keys that are in both intervals. */
function saysAllOf(one: ProvedKeys, other: ProvedKeys): boolean {
  return one.rev >= other.rev && (one.sinceTid ?? "") <= (other.sinceTid ?? "");
}

function without(it: ProvedKeys, { from, to }: ProvedKeys): readonly ProvedKeys[] {
  if (to <= it.from || from >= it.to) return [it];
  const before = { ...it, to: from };
  const after = { ...it, from: to };
  return [before, after].filter(isStretch);
}

function isStretch({ from, to }: ProvedKeys): boolean {
  return from < to;
}

/** Adjacent intervals that say the same become one. */
function joined(sorted: readonly ProvedKeys[]): ProvedKeys[] {
  const result: ProvedKeys[] = [];
  for (const it of sorted) {
    const at = result.findIndex(
      (other) => other.to === it.from && other.rev === it.rev && other.sinceTid === it.sinceTid,
    );
    const before = result[at];
    if (before === undefined) result.push(it);
    else result[at] = { ...before, to: it.to };
  }
  return result;
}

/**
 * If a repository was written to during the walk, its intervals have many revisions. The oldest adjacent ones are joined and
 * get the lower revision; if none are adjacent, the oldest is removed. In both cases less is known than before, and nothing
 * wrong.
 */
function bounded(stretches: ProvedKeys[]): readonly ProvedKeys[] {
  let result = stretches;
  while (result.length > MOST_STRETCHES) {
    const pair = oldestPair(result);
    const oldest = result.reduce((a, b) => (b.rev < a.rev ? b : a));
    const rest = result.filter((it) => (pair === null ? it !== oldest : !pair.includes(it)));
    result = pair === null ? rest : joined([...rest, weaker(...pair)].toSorted(inOrder));
  }
  return result;
}

function oldestPair(stretches: readonly ProvedKeys[]): readonly [ProvedKeys, ProvedKeys] | null {
  let oldest: readonly [ProvedKeys, ProvedKeys] | null = null;
  let oldestRev = "";
  for (const first of stretches) {
    const second = stretches.find(({ from }) => from === first.to);
    if (second === undefined) continue;
    const rev = first.rev > second.rev ? first.rev : second.rev;
    if (oldest !== null && rev >= oldestRev) continue;
    oldest = [first, second];
    oldestRev = rev;
  }
  return oldest;
}

function weaker(first: ProvedKeys, second: ProvedKeys): ProvedKeys {
  const rev = first.rev < second.rev ? first.rev : second.rev;
  const isFirst = (first.sinceTid ?? "") > (second.sinceTid ?? "");
  return { from: first.from, to: second.to, rev, sinceTid: isFirst ? first.sinceTid : second.sinceTid };
}

function inOrder(a: ProvedKeys, b: ProvedKeys): number {
  if (a.from !== b.from) return a.from < b.from ? -1 : 1;
  return a.rev < b.rev ? -1 : Number(a.rev > b.rev);
}
