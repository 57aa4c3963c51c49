/**
 * What has been proved of a repository's keys: stretches of them, each with the revision at which everything in it is known.
 * An operation of that revision or before is older than what is known, also where no row is: without this, a creation
 * that comes late would bring back a record whose deletion was never seen. Kept with the repository, in the transaction that
 * applies the range: so it says neither more nor less than the tables do. Pure.
 */

/** The keys above `from`, up to and with `to`. */
export interface ProvedKeys {
  readonly from: string;
  readonly to: string;
  readonly rev: string;
  /** Nothing is said of record keys that are TIDs below it. */
  readonly sinceTid: string | null;
}

/** A walk in order leaves one stretch a collection, and a few more while its ranges are applied. */
export const MOST_STRETCHES = 32;

/** In ascending order of `from`. Stretches overlap only where neither says all that the other does. */
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

/** How far, from its beginning on, all that the range says is known already. `range.from`: none of it is. */
export function provedUpTo(known: readonly ProvedKeys[], range: ProvedKeys): string {
  let upTo = range.from;
  for (const it of known)
    if (it.from <= upTo && it.to > upTo && saysAllOf(it, range)) upTo = it.to < range.to ? it.to : range.to;
  return upTo;
}

/** Of the keys that both are about. */
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

/** Those that touch and say the same are one. */
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
 * Where a repository was written to during the walk, its stretches have many revisions. The oldest that touch become one, of
 * the lower revision; where none touch the oldest is forgotten. Either says less, never more.
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
