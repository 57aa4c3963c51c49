/** Histories of a few repos for property tests, and the same rows in any order: repeated, shuffled, in batches. */
import fc from "fast-check";
import { accountRow, identityRow, recordRow, syncRow } from "./rows.ts";
import type { SinkRow } from "@firehose-backfill/sink/rows";

const DIDS = ["did:plc:alice", "did:plc:bob"];

/** What happens at one moment of a stream; its index gives it its sequence number, time and revision. */
export const happening = fc.record({
  did: fc.constantFrom(...DIDS),
  rkey: fc.constantFrom("a", "b"),
  what: fc.constantFrom(
    "write",
    "write",
    "remove",
    "write twice",
    "deleted",
    "suspended",
    "active",
    "handle",
    "no handle",
    "sync",
  ),
});

export const history = fc
  .array(happening, { minLength: 1, maxLength: 14 })
  .map((list) => list.flatMap((one, i) => toRows(i + 1, one)));

type Happening = { readonly did: string; readonly rkey: string; readonly what: string };

export function toRows(n: number, { did, rkey, what }: Happening): SinkRow[] {
  // An invalid commit: two operations on one path.
  if (what === "write twice") return ["x", "y"].map((cid) => recordRow(n, { did, rkey, cid }));
  return [toRow(n, { did, rkey, what })];
}

function toRow(n: number, { did, rkey, what }: Happening): SinkRow {
  switch (what) {
    case "write":
      return recordRow(n, { did, rkey });
    case "remove":
      return recordRow(n, { did, rkey, action: "delete" });
    case "deleted":
    case "suspended":
      return accountRow(n, { did, active: false, status: what });
    case "active":
      return accountRow(n, { did });
    case "handle":
      return identityRow(n, { did, handle: `h${n}.test` });
    case "no handle":
      return identityRow(n, { did, handle: null });
    default:
      return syncRow(n, { did });
  }
}

/** The same rows in another order, some of them twice, cut into batches. */
export function delivery(rows: readonly SinkRow[]) {
  return fc
    .tuple(
      fc.shuffledSubarray([...rows], { minLength: rows.length }),
      fc.subarray([...rows]),
      fc.infiniteStream(fc.nat(5)),
    )
    .chain(([once, again, sizes]) =>
      fc.shuffledSubarray([...once, ...again], { minLength: once.length + again.length }).map((all) => cut(all, sizes)),
    );
}

function cut(rows: readonly SinkRow[], sizes: Iterator<number>): SinkRow[][] {
  const batches: SinkRow[][] = [];
  for (let from = 0; from < rows.length;) {
    const size = 1 + Number(sizes.next().value);
    batches.push(rows.slice(from, from + size));
    from += size;
  }
  return batches;
}

/** The result for a reader that applies the stream in order: existing rkeys, by did. Independent of the SQL. */
export function liveInOrder(rows: readonly SinkRow[]): string[] {
  const records = new Map<string, boolean>();
  const hidden = new Set<string>();
  for (const row of rows) {
    if (row.kind === "record") records.set(`${row.did} ${row.rkey}`, row.action !== "delete");
    if (row.kind !== "account") continue;
    if (row.active) hidden.delete(row.did);
    else hidden.add(row.did);
    if (row.status === "deleted") for (const key of records.keys()) if (key.startsWith(row.did)) records.delete(key);
  }
  const keys = [...records].filter(([key, lives]) => lives && !hidden.has(key.split(" ")[0] ?? ""));
  return keys.map(([key]) => key).sort();
}
