/** Rows that the consumer has verified and decoded, ready to be applied by any sink. */
import type { DeadEntry, HandleCheck, LinkEvent, RecordAction, RecordEvent } from "@firehose-backfill/core/event";

/** A verified record operation, ready to be written. */
export interface RecordRow {
  readonly kind: "record";
  readonly action: RecordAction;
  readonly did: string;
  readonly collection: string;
  readonly rkey: string;
  readonly rev: string;
  /** null: it has no place in a stream, because a repository was read: the record is there at `rev`. */
  readonly seq: number | null;
  readonly timeMs: number;
  /** base32 text; null for a delete. */
  readonly cid: string | null;
  /** atproto's JSON form; null for a delete. */
  readonly json: string | null;
  /** What it was made of. A sink keeps it with a row that it refuses. Left out: then it cannot be tried again. */
  readonly event?: RecordEvent;
}

export interface AccountRow {
  readonly kind: "account";
  readonly did: string;
  readonly seq: number;
  readonly timeMs: number;
  readonly active: boolean;
  readonly status: string | null;
}

export interface IdentityRow {
  readonly kind: "identity";
  readonly did: string;
  readonly seq: number;
  readonly timeMs: number;
  readonly handle: string | null;
  /** Looked up in the DID document, and how its check ended. Left out: a stream says it, and nobody has checked it. */
  readonly check?: HandleCheck;
}

export interface SyncRow {
  readonly kind: "sync";
  readonly did: string;
  readonly seq: number;
  readonly timeMs: number;
  readonly rev: string;
}

/**
 * What a repository proves of a stretch of its keys (`collection/rkey`, compared byte by byte): above `from`, up to and with
 * `to`, there is at `rev` nothing but `keys`. Its records are rows of their own in the same call, with `seq` null.
 */
export interface RangeRow {
  readonly kind: "range";
  readonly did: string;
  readonly rev: string;
  /** When it was read. */
  readonly timeMs: number;
  /** The one that the range lies in. null: it may touch any number of them. */
  readonly collection: string | null;
  readonly from: string;
  readonly to: string;
  /** Nothing is said of record keys that are TIDs below it. */
  readonly sinceTid: string | null;
  /** All that are there, also those that could not be read: what is not among them is deleted. */
  readonly keys: readonly string[];
}

/** Compared with what is known of the repository's history, and kept with it. */
export type LinkRow = LinkEvent;

/** An event that cannot be applied, with the reason. A sink keeps it where an operator can find it. */
export type DeadRow = DeadEntry;

export type SinkRow = RecordRow | AccountRow | IdentityRow | SyncRow | LinkRow | RangeRow | DeadRow;
