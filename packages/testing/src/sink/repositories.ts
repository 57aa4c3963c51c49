/**
 * Random histories of repositories, and the rows that describe them: the operations of their commits as a stream sends them, ranges of any of their commits, with
 * any bounds, and records of ranges that come alone, because they were dead and are redriven. The expected table follows from these rows, whatever their
 * order: for each key, the newest row decides.
 */
import { tidAt, tidTimeMs } from "@firehose-backfill/core/tid";
import type { RangeRow, RecordRow, SinkRow } from "@firehose-backfill/sink/rows";
import fc from "fast-check";
import { accountRow, START_MS } from "./rows.ts";

const DIDS = ["did:plc:alice", "did:plc:bob"] as const;
const TIDS = [tidAt(START_MS - 86_400_000), tidAt(START_MS - 3_600_000)] as const;
const SINCE = tidAt(START_MS - 7_200_000);
/** Keys of two collections. The order of the keys differs from the order of the collections: `a.b.c-d/…` comes before `a.b.c/…`. */
const KEYS = ["a.b.c", "a.b.c-d"].flatMap((name) => [...TIDS, "self"].map((rkey) => `${name}/${rkey}`)).toSorted();
/** The bounds of ranges: keys, and the bounds of collections. */
const CUTS = ["", "a.b.c-d/", "a.b.c-d0", "a.b.c/", "a.b.c0", "\u007f", ...KEYS].toSorted();

/** The time of a commit. There is one commit each second. */
const momentOf = (commit: number) => START_MS + commit * 1000;
export const revAt = (commit: number) => tidAt(momentOf(commit));

/** The CID of each key. */
type State = ReadonlyMap<string, string>;

export interface Told {
  readonly rows: readonly SinkRow[];
  /** For a batch with ranges: the largest number of removals in one call. */
  readonly maxRemovals: number;
  readonly says: readonly Evidence[];
}

/** What rows prove: the content of these keys at that commit, or that the account was deleted and nothing older is left. */
type Evidence = { readonly did: string } & (
  | { readonly kind: "keys"; readonly commit: number; readonly keys: ReadonlyMap<string, string | null> }
  | { readonly kind: "purge"; readonly commit: number }
);

const MOST_COMMITS = 6;
const commits = fc.array(
  fc.uniqueArray(fc.record({ key: fc.constantFrom(...KEYS), cid: fc.constantFrom("v", "w", null) }), {
    selector: ({ key }) => key,
    minLength: 1,
    maxLength: 6,
  }),
  { minLength: 2, maxLength: MOST_COMMITS, size: "max" },
);

/** Any selection of the possible rows, some of them twice, in any order. A batch may have rows of both repositories. */
export const tellings: fc.Arbitrary<readonly Told[]> = fc.tuple(commits, commits).chain((histories) => {
  const repos = DIDS.map((did, index) => ({
    did,
    history: histories[index] ?? [],
    states: statesOf(histories[index] ?? []),
  }));
  const operations = repos
    .flatMap(({ did, history, states }) =>
      history.flatMap((changes, index) =>
        changes.map(({ key, cid }) => ({
          at: index,
          part: operation(did, index + 1, { key, cid, before: states[index] }),
        })),
      ),
    )
    // As a stream has them: one commit after the other, of either repository.
    .sort((left, right) => left.at - right.at)
    .map(({ part }) => part);
  const range = fc.constantFrom(...repos).chain(({ did, history, states }) =>
    fc
      .record({
        commit: fc.integer({ min: 1, max: history.length }),
        dead: fc.subarray(KEYS, { maxLength: 2 }),
        from: fc.constantFrom(...CUTS),
        to: fc.constantFrom(...CUTS),
        sinceTid: fc.constantFrom(null, null, SINCE),
      })
      .filter(({ from, to }) => from < to)
      .map(({ commit, dead, ...its }) =>
        rangeOf({ did, commit, dead: new Set(dead) }, its, states[commit] ?? new Map()),
      ),
  );
  const batches = fc.record({
    streams: fc.array(fc.subarray(operations, { minLength: 1 }), { maxLength: 5, size: "max" }),
    ranges: fc.array(fc.array(range, { minLength: 1, maxLength: 3 }), { maxLength: 6, size: "max" }),
    purges: fc.array(
      fc.record({ did: fc.constantFrom(...DIDS), commit: fc.integer({ min: 0, max: MOST_COMMITS }) }).map(purgeAfter),
      { maxLength: 2 },
    ),
    maxRemovals: fc.constantFrom(1, 1, 2),
  });
  return batches.chain(({ streams, ranges, purges, maxRemovals }) => {
    const alone = ranges.flat().flatMap(({ redriven }) => redriven.map((part) => [part]));
    const proved = ranges.map((each) => each.map(({ told }) => told));
    const all = [...streams, ...proved, ...alone, ...purges.map((purge) => [purge])].map((parts) =>
      joined(parts, maxRemovals),
    );
    return fc
      .tuple(fc.constant(all), fc.subarray(all))
      .chain(([once, again]) => fc.shuffledSubarray([...once, ...again], { minLength: once.length + again.length }));
  });
});

/** The expected rows of the table: `did collection/rkey cid rev`, sorted. */
export function standing(told: readonly Told[]): string[] {
  const says = told.flatMap((each) => each.says);
  return DIDS.flatMap((did) =>
    standingOf(
      did,
      says.filter((it) => it.did === did),
    ),
  ).toSorted();
}

function standingOf(did: string, evidence: readonly Evidence[]): string[] {
  const purged = Math.max(-1, ...evidence.map((it) => (it.kind === "purge" ? it.commit : -1)));
  return KEYS.flatMap((key) => {
    let newest: { readonly commit: number; readonly cid: string | null } | null = null;
    for (const it of evidence) {
      const cid = it.kind === "keys" ? it.keys.get(key) : undefined;
      if (cid !== undefined && it.commit > (newest?.commit ?? 0)) newest = { commit: it.commit, cid };
    }
    if (newest === null || newest.cid === null || newest.commit <= purged) return [];
    return [`${did} ${key} ${newest.cid} ${revAt(newest.commit)}`];
  });
}

type Part = Omit<Told, "maxRemovals">;

function joined(parts: readonly Part[], maxRemovals: number): Told {
  return { rows: parts.flatMap(({ rows }) => rows), says: parts.flatMap(({ says }) => says), maxRemovals };
}

/** The state after each commit. The first element is the state before all commits. */
function statesOf(history: readonly (readonly { readonly key: string; readonly cid: string | null }[])[]): State[] {
  const states: State[] = [new Map()];
  for (const changes of history) {
    const next = new Map(states.at(-1));
    for (const { key, cid } of changes) {
      if (cid === null) next.delete(key);
      else next.set(key, cid);
    }
    states.push(next);
  }
  return states;
}

function operation(
  did: string,
  commit: number,
  { key, cid, before }: { readonly key: string; readonly cid: string | null; readonly before: State | undefined },
): Part {
  const action = cid === null ? "delete" : before?.has(key) === true ? "update" : "create";
  const row = record(key, cid, { did, commit }, { action, seq: 2 * commit, timeMs: momentOf(commit) });
  return { rows: [row], says: [{ did, kind: "keys", commit, keys: new Map([[key, cid]]) }] };
}

/** `dead`: these of its records fit into no message. The range names their keys all the same, and each comes alone, some time. */
function rangeOf(
  { did, commit, dead }: { readonly did: string; readonly commit: number; readonly dead: ReadonlySet<string> },
  its: Pick<RangeRow, "from" | "to" | "sinceTid">,
  state: State,
): { readonly told: Part; readonly redriven: readonly Part[] } {
  const told = KEYS.filter((key) => key > its.from && key <= its.to && !isBefore(key, its.sinceTid));
  const there = told.flatMap((key) => {
    const cid = state.get(key);
    if (cid === undefined) return [];
    const timeMs = tidTimeMs(key.split("/")[1] ?? "") ?? momentOf(commit);
    return [{ key, row: record(key, cid, { did, commit }, { action: "create", seq: null, timeMs }) }];
  });
  const names = new Set(
    CUTS.filter((cut) => cut >= its.from && cut <= its.to).map((cut) => cut.split(/[/0\u007f]/)[0]),
  );
  const range: RangeRow = {
    kind: "range",
    did,
    rev: revAt(commit),
    timeMs: momentOf(commit) + 500,
    // The same as a walk reports for a range within one collection.
    collection: names.size === 1 ? ([...names][0] ?? null) : null,
    ...its,
    keys: there.map(({ key }) => key),
  };
  const saying = (keys: readonly string[]): Evidence[] => [
    { did, kind: "keys", commit, keys: new Map(keys.map((key) => [key, state.get(key) ?? null])) },
  ];
  const isLost = (key: string): boolean => dead.has(key) && state.has(key);
  const rows = there.filter(({ key }) => !isLost(key)).map(({ row }) => row);
  return {
    told: { rows: [range, ...rows], says: saying(told.filter((key) => !isLost(key))) },
    redriven: there.filter(({ key }) => isLost(key)).map(({ key, row }) => ({ rows: [row], says: saying([key]) })),
  };
}

function purgeAfter({ did, commit }: { readonly did: string; readonly commit: number }): Part {
  const row = accountRow(0, { did, active: false, status: "deleted", seq: 2 * commit + 1 });
  return { rows: [{ ...row, timeMs: momentOf(commit) + 500 }], says: [{ did, kind: "purge", commit }] };
}

function isBefore(key: string, sinceTid: string | null): boolean {
  const rkey = key.split("/")[1] ?? "";
  return sinceTid !== null && rkey < sinceTid && tidTimeMs(rkey) !== null;
}

function record(
  key: string,
  cid: string | null,
  { did, commit }: { readonly did: string; readonly commit: number },
  its: Pick<RecordRow, "action" | "seq" | "timeMs">,
): RecordRow {
  const [collection = "", rkey = ""] = key.split("/");
  const json = cid === null ? null : JSON.stringify({ text: cid });
  return { kind: "record", did, collection, rkey, rev: revAt(commit), cid, json, ...its };
}
