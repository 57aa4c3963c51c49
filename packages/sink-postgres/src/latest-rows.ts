/**
 * The newest row of a batch for each key: for each record, each repo and each kind of marker. One statement must not name
 * a key twice (SQLSTATE 21000), and an older row would change nothing. Pure.
 */
import { believe } from "./believe.ts";
import type { AccountRow, IdentityRow, RecordRow, SyncRow } from "@firehose-backfill/sink/rows";
import type { DataRow } from "./request.ts";

/** Every list is sorted by its key and holds a key once. */
export interface LatestRows {
  /** Every repo that the rows speak of, with the newest revision of a record or range in it, applied or not. */
  readonly repos: readonly { readonly did: string; readonly rev: string | null }[];
  readonly syncs: readonly SyncRow[];
  readonly accounts: readonly AccountRow[];
  /** Accounts that were deleted: what is older goes, also when a newer marker says that the account is back. */
  readonly purges: readonly AccountRow[];
  readonly identities: readonly IdentityRow[];
  /** Identity markers that carried no handle: nothing to store, nothing they could be older than. */
  readonly identitiesWithoutHandle: number;
  readonly records: readonly RecordRow[];
}

/** `nowMs`: by the clock; what says that it is from long after it is not believed. Left out: everything is. */
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
        // Written after all rows (apply-links.ts, apply-ranges.ts); its repo is locked with the others.
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
 * No proper commit has two operations on one path. Of one that does, the greater CID stays: they may reach the database
 * in two batches, in any order, and must leave the same row.
 */
function isNewerRecord(a: RecordRow, b: RecordRow): boolean {
  return a.rev > b.rev || (a.rev === b.rev && (a.cid ?? "") > (b.cid ?? ""));
}

/** Rows of a batch are of one host: there the sequence number says what came later, whatever the clock of a PDS says. */
function isNewerMarker(a: AccountRow | IdentityRow, b: AccountRow | IdentityRow): boolean {
  return a.seq > b.seq || (a.seq === b.seq && a.timeMs > b.timeMs);
}

/** What is older than any of them goes: for rows of their own host by the greatest number, for others by the latest time. */
function joinPurges(held: AccountRow | undefined, row: AccountRow): AccountRow {
  if (held === undefined) return row;
  const newest = isNewerMarker(row, held) ? row : held;
  const other = newest === row ? held : row;
  // A time that is not believed is NaN, and never later.
  const isLater = other.timeMs > newest.timeMs || Number.isNaN(newest.timeMs);
  return isLater && !Number.isNaN(other.timeMs) ? { ...newest, timeMs: other.timeMs } : newest;
}

function keep<T>(into: Map<string, T>, key: string, row: T, isNewer: (a: T, b: T) => boolean): void {
  const held = into.get(key);
  if (held === undefined || isNewer(row, held)) into.set(key, row);
}

/** NUL cannot be stored, so it cannot be part of a key that matters. It sorts first, as the end of a shorter key does. */
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
