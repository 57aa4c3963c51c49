/**
 * Computes what the tables must contain after a list of frames, in order and without any of our packages. End-to-end tests
 * compare the database with it. The rules are those of docs/invariants.md (number 3).
 */
import type { Json } from "./atproto-json.ts";
import { type OracleFrame, type OracleOp, readOracleFrame } from "./oracle-frame.ts";

export interface ExpectedRecord {
  readonly did: string;
  readonly collection: string;
  readonly rkey: string;
  /** null, like `record`: a tombstone. */
  readonly cid: string | null;
  readonly rev: string;
  readonly seq: number;
  readonly timeMs: number;
  readonly record: Json;
}

/** A marker's position among those of its kind; event time comes first. */
export interface Place {
  readonly timeMs: number;
  readonly seq: number;
}

export interface ExpectedRepo {
  readonly did: string;
  handle: string | null;
  handlePlace: Place | null;
  /** null: no #account so far, which counts as active. */
  active: boolean | null;
  status: string | null;
  statusPlace: Place | null;
  purged: Place | null;
  /** The newest revision in an operation or a #sync. */
  rev: string | null;
}

export interface Expected {
  /** By `did collection rkey`. */
  readonly records: ReadonlyMap<string, ExpectedRecord>;
  readonly repos: ReadonlyMap<string, ExpectedRepo>;
  /** Record operations and markers that passed `keep`, including dead ones. */
  readonly events: number;
  /** The reason of each event that can never be applied. */
  readonly dead: readonly string[];
}

export interface OracleOptions {
  /** Like BACKFILL_COLLECTIONS and BACKFILL_DIDS: `collection` is null for a marker. Default: everything is kept. */
  readonly keep?: (did: string, collection: string | null) => boolean;
}

/** @throws if a frame is broken, which does not occur in recordings */
export async function expectedTables(
  frames: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: OracleOptions = {},
): Promise<Expected> {
  const tables = new Tables(options.keep ?? (() => true));
  for await (const frame of frames) tables.apply(await readOracleFrame(frame));
  return tables;
}

/** Records that `live_records` shows. */
export function liveRecords(expected: Expected): ExpectedRecord[] {
  return [...expected.records.values()].filter(
    ({ did, cid }) => cid !== null && expected.repos.get(did)?.active !== false,
  );
}

class Tables implements Expected {
  readonly records = new Map<string, ExpectedRecord>();
  readonly repos = new Map<string, ExpectedRepo>();
  readonly dead: string[] = [];
  events = 0;
  readonly #keep: (did: string, collection: string | null) => boolean;
  /** Rows of one account, for purges. */
  readonly #keysOf = new Map<string, Set<string>>();

  constructor(keep: (did: string, collection: string | null) => boolean) {
    this.#keep = keep;
  }

  apply(frame: OracleFrame): void {
    if (frame.kind === "other") return;
    if (frame.kind === "commit") {
      for (const op of frame.ops) if (this.#keep(frame.did, op.collection)) this.#operate(frame, op);
      return;
    }
    if (!this.#keep(frame.did, null)) return;
    this.events += 1;
    const repo = this.#repo(frame.did);
    switch (frame.kind) {
      case "sync":
        repo.rev = newer(repo.rev, frame.rev);
        break;
      case "identity":
        // A marker without a handle does not change the handle.
        if (frame.handle === null || !isAbove(frame, repo.handlePlace)) break;
        repo.handle = frame.handle;
        repo.handlePlace = placeOf(frame);
        break;
      case "account":
        this.#account(repo, frame);
        break;
    }
  }

  #account(repo: ExpectedRepo, frame: Extract<OracleFrame, { kind: "account" }>): void {
    if (isAbove(frame, repo.statusPlace)) {
      repo.active = frame.active;
      repo.status = frame.status;
      repo.statusPlace = placeOf(frame);
    }
    if (frame.active || frame.status !== "deleted" || !isAbove(frame, repo.purged)) return;
    repo.purged = placeOf(frame);
    for (const key of this.#keysOf.get(frame.did) ?? []) {
      const row = this.records.get(key);
      if (row !== undefined && isAbove(frame, row)) this.records.delete(key);
    }
  }

  #operate(frame: Extract<OracleFrame, { kind: "commit" }>, op: OracleOp): void {
    this.events += 1;
    if (op.dead !== null) {
      this.dead.push(op.dead);
      return;
    }
    const { did, rev } = frame;
    const repo = this.#repo(did);
    repo.rev = newer(repo.rev, rev);
    if (!isAbove(frame, repo.purged)) return;
    const key = `${did} ${op.collection} ${op.rkey}`;
    const stored = this.records.get(key);
    if (stored !== undefined && stored.rev >= rev) return;
    const { collection, rkey, cid, record } = op;
    this.records.set(key, { did, collection, rkey, cid, rev, ...placeOf(frame), record });
    this.#keysOf.set(did, (this.#keysOf.get(did) ?? new Set()).add(key));
  }

  #repo(did: string): ExpectedRepo {
    const known = this.repos.get(did);
    if (known !== undefined) return known;
    const nothing = { handle: null, handlePlace: null, active: null, status: null, statusPlace: null };
    const repo: ExpectedRepo = { did, ...nothing, purged: null, rev: null };
    this.repos.set(did, repo);
    return repo;
  }
}

function placeOf({ timeMs, seq }: Place): Place {
  return { timeMs, seq };
}

function isAbove(place: Place, other: Place | null): boolean {
  if (other === null) return true;
  return place.timeMs === other.timeMs ? place.seq > other.seq : place.timeMs > other.timeMs;
}

function newer(stored: string | null, rev: string): string {
  return stored === null || rev > stored ? rev : stored;
}
