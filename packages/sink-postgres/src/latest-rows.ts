/**
 * The newest row of a batch for each key: for each record, each repo and each kind of marker. One statement must not name
 * a key twice (SQLSTATE 21000), and an older row would change nothing. Pure.
 */
import { believe } from "./believe.ts";
import type { AccountRow, IdentityRow, RecordRow, SyncRow } from "@firehose-backfill/sink/rows";
import type { DataRow } from "./request.ts";

/** Every list is sorted by its key and contains each key once. */
export interface LatestRows {
  /** Every repository of the rows, with the newest revision of its records and ranges, whether they are applied or not. */
  readonly repos: readonly { readonly did: string; readonly rev: string | null }[];
  readonly syncs: readonly SyncRow[];
  readonly accounts: readonly AccountRow[];
  /** Accounts that were deleted. Their older rows are removed, also if a newer marker says that the account is back. */
  readonly purges: readonly AccountRow[];
  readonly identities: readonly IdentityRow[];
  /** How many identity markers have no handle. They store nothing and are never stale. */
  readonly identitiesWithoutHandle: number;
  readonly records: readonly RecordRow[];
}

/** `nowMs`: the current time. Event times far after it are not believed (believe.ts). Left out: all are believed. */
export function latestRows(rows: readonly DataRow[], nowMs = Infinity): LatestRows {
  const repos = new Map<string, string | null>();
  const syncs = new Map<string, SyncRow>();
  const accounts = new Map<string, AccountRow>();
  const purges = new Map<string, AccountRow>();
  const identities = new Map<string, IdentityRow>();
  const records = new Map<string, RecordRow>();
  let identitiesWithoutHandle = 0;
  for (const given of rows) {
    const row = believe(given, nowMs);
    const rev = repos.get(row.did) ?? null;
    const saysRev = row.kind === "record" || row.kind === "range";
    repos.set(row.did, saysRev && (rev === null || row.rev > rev) ? row.rev : rev);
    switch (row.kind) {
      case "record":
        keep(records, recordKey(row), row, isNewerRecord);
        break;
      case "account":
        keep(accounts, row.did, row, isNewerMarker);
        if (isDeletion(row)) purges.set(row.did, joinPurges(purges.get(row.did), row));
        break;
      case "identity":
        if (row.handle === null && row.check === undefined) identitiesWithoutHandle += 1;
        else keep(identities, row.did, row, isNewerMarker);
        break;
      case "sync":
        keep(syncs, row.did, row, (a, b) => a.rev > b.rev);
        break;
      case "link":
      case "range":
        // Links and ranges are written after all rows (apply-links.ts, apply-ranges.ts). Their repositories are locked with the
        // others.
        break;
      default:
        row satisfies never;
    }
  }
  return {
    repos: sortedValues(repos, (did, rev) => ({ did, rev })),
    syncs: sortedValues(syncs),
    accounts: sortedValues(accounts),
    purges: sortedValues(purges),
    identities: sortedValues(identities),
    identitiesWithoutHandle,
    records: sortedValues(records),
  };
}

function isDeletion(row: AccountRow): boolean {
  return !row.active && row.status === "deleted";
}

/**
 * A valid commit never has two operations on one path. If an invalid one has, the greater CID is kept. The two operations may
 * come in two batches in any order, and the resulting row must be the same.
 */
function isNewerRecord(a: RecordRow, b: RecordRow): boolean {
  return a.rev > b.rev || (a.rev === b.rev && (a.cid ?? "") > (b.cid ?? ""));
}

/** All rows of a batch come from one host, so the sequence number says which came later, whatever the clock of a PDS says. */
function isNewerMarker(a: AccountRow | IdentityRow, b: AccountRow | IdentityRow): boolean {
  return a.seq > b.seq || (a.seq === b.seq && a.timeMs > b.timeMs);
}

/** Combines deletions of an account. Rows of the same host are removed up to the greatest number, rows of other hosts up to the latest time. */
function joinPurges(held: AccountRow | undefined, row: AccountRow): AccountRow {
  if (held === undefined) return row;
  const newest = isNewerMarker(row, held) ? row : held;
  const other = newest === row ? held : row;
  // A time that is not believed is NaN and counts as the earliest.
  const isLater = other.timeMs > newest.timeMs || Number.isNaN(newest.timeMs);
  return isLater && !Number.isNaN(other.timeMs) ? { ...newest, timeMs: other.timeMs } : newest;
}

function keep<T>(into: Map<string, T>, key: string, row: T, isNewer: (a: T, b: T) => boolean): void {
  const held = into.get(key);
  if (held === undefined || isNewer(row, held)) into.set(key, row);
}

/** Postgres cannot store NUL, so no valid key contains it. It sorts before all other characters, so that a shorter key comes first. */
function recordKey(row: RecordRow): string {
  return `${row.did}\0${row.collection}\0${row.rkey}`;
}

function sortedValues<T>(map: ReadonlyMap<string, T>): T[];
function sortedValues<T, R>(map: ReadonlyMap<string, T>, toResult: (key: string, value: T) => R): R[];
function sortedValues<T>(
  map: ReadonlyMap<string, T>,
  toResult = (_key: string, value: T): unknown => value,
): unknown[] {
  return [...map.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => toResult(key, value));
}
