/**
 * Random histories of a repository, and the rows that describe them: the operations of its commits as a stream sends them, and
 * ranges of any of its commits, with any bounds. The expected table follows from these rows, whatever their order: for each
 * key, the newest row decides.
 */
import { tidAt, tidTimeMs } from "@firehose-backfill/core/tid";
import type { RangeRow, RecordRow, SinkRow } from "@firehose-backfill/sink/rows";
import fc from "fast-check";
import { accountRow, START_MS } from "./rows.ts";

const DID = "did:plc:alice";
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
type Evidence =
  | { readonly kind: "keys"; readonly commit: number; readonly keys: ReadonlyMap<string, string | null> }
  | { readonly kind: "purge"; readonly commit: number };

const commits = fc.array(
  fc.uniqueArray(fc.record({ key: fc.constantFrom(...KEYS), cid: fc.constantFrom("v", "w", null) }), {
    selector: ({ key }) => key,
    minLength: 1,
    maxLength: 6,
  }),
  { minLength: 2, maxLength: 6, size: "max" },
);

/** Any selection of the possible rows, some of them twice, in any order. */
export const tellings: fc.Arbitrary<readonly Told[]> = commits.chain((history) => {
  const states = statesOf(history);
  const operations = history.flatMap((changes, index) =>
    changes.map(({ key, cid }) => operation(index + 1, key, cid, states[index])),
  );
  const range = fc
    .record({
      commit: fc.integer({ min: 1, max: history.length }),
      from: fc.constantFrom(...CUTS),
      to: fc.constantFrom(...CUTS),
      sinceTid: fc.constantFrom(null, null, SINCE),
    })
    .filter(({ from, to }) => from < to)
    .map(({ commit, from, to, sinceTid }) => rangeOf(commit, { from, to, sinceTid }, states[commit] ?? new Map()));
  const batches = fc.record({
    streams: fc.array(fc.subarray(operations, { minLength: 1 }), { maxLength: 5, size: "max" }),
    ranges: fc.array(fc.array(range, { minLength: 1, maxLength: 3 }), { maxLength: 6, size: "max" }),
    purges: fc.array(fc.integer({ min: 0, max: history.length }).map(purgeAfter), { maxLength: 1 }),
    maxRemovals: fc.constantFrom(1, 1, 2),
  });
  return batches.chain(({ streams, ranges, purges, maxRemovals }) => {
    const all = [...streams, ...ranges, ...purges.map((purge) => [purge])].map((parts) => joined(parts, maxRemovals));
    return fc
      .tuple(fc.constant(all), fc.subarray(all))
      .chain(([once, again]) => fc.shuffledSubarray([...once, ...again], { minLength: once.length + again.length }));
  });
});

/** The expected rows of the table: `collection/rkey cid rev`, sorted. */
export function standing(told: readonly Told[]): string[] {
  const evidence = told.flatMap(({ says }) => says);
  const purged = Math.max(-1, ...evidence.map((it) => (it.kind === "purge" ? it.commit : -1)));
  return KEYS.flatMap((key) => {
    let newest: { readonly commit: number; readonly cid: string | null } | null = null;
    for (const it of evidence) {
      const cid = it.kind === "keys" ? it.keys.get(key) : undefined;
      if (cid !== undefined && it.commit > (newest?.commit ?? 0)) newest = { commit: it.commit, cid };
    }
    if (newest === null || newest.cid === null || newest.commit <= purged) return [];
    return [`${key} ${newest.cid} ${revAt(newest.commit)}`];
  }).toSorted();
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

function operation(commit: number, key: string, cid: string | null, before: State | undefined): Part {
  const action = cid === null ? "delete" : before?.has(key) === true ? "update" : "create";
  const row = record(key, cid, commit, { action, seq: 2 * commit, timeMs: momentOf(commit) });
  return { rows: [row], says: [{ kind: "keys", commit, keys: new Map([[key, cid]]) }] };
}

function rangeOf(commit: number, its: Pick<RangeRow, "from" | "to" | "sinceTid">, state: State): Part {
  const told = KEYS.filter((key) => key > its.from && key <= its.to && !isBefore(key, its.sinceTid));
  const there = told.flatMap((key) => {
    const cid = state.get(key);
    if (cid === undefined) return [];
    const timeMs = tidTimeMs(key.split("/")[1] ?? "") ?? momentOf(commit);
    return [record(key, cid, commit, { action: "create", seq: null, timeMs })];
  });
  const names = new Set(
    CUTS.filter((cut) => cut >= its.from && cut <= its.to).map((cut) => cut.split(/[/0\u007f]/)[0]),
  );
  const range: RangeRow = {
    kind: "range",
    did: DID,
    rev: revAt(commit),
    timeMs: momentOf(commit) + 500,
    // The same as a walk reports for a range within one collection.
    collection: names.size === 1 ? ([...names][0] ?? null) : null,
    ...its,
    keys: there.map(({ collection, rkey }) => `${collection}/${rkey}`),
  };
  const keys = new Map(told.map((key) => [key, state.get(key) ?? null]));
  return { rows: [range, ...there], says: [{ kind: "keys", commit, keys }] };
}

function purgeAfter(commit: number): Part {
  const row = accountRow(0, { did: DID, active: false, status: "deleted", seq: 2 * commit + 1 });
  return { rows: [{ ...row, timeMs: momentOf(commit) + 500 }], says: [{ kind: "purge", commit }] };
}

function isBefore(key: string, sinceTid: string | null): boolean {
  const rkey = key.split("/")[1] ?? "";
  return sinceTid !== null && rkey < sinceTid && tidTimeMs(rkey) !== null;
}

function record(
  key: string,
  cid: string | null,
  commit: number,
  its: Pick<RecordRow, "action" | "seq" | "timeMs">,
): RecordRow {
  const [collection = "", rkey = ""] = key.split("/");
  const json = cid === null ? null : JSON.stringify({ text: cid });
  return { kind: "record", did: DID, collection, rkey, rev: revAt(commit), cid, json, ...its };
}
