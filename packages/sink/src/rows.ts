/** Rows that the consumer has verified and decoded, ready to be applied by any sink. */
import type { DeadEntry, RecordAction, RecordEvent } from "@firehose-backfill/core/event";

/** A verified record operation, ready to be written. */
export interface RecordRow {
  readonly kind: "record";
  readonly action: RecordAction;
  readonly did: string;
  readonly collection: string;
  readonly rkey: string;
  readonly rev: string;
  readonly seq: number;
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
}

export interface SyncRow {
  readonly kind: "sync";
  readonly did: string;
  readonly seq: number;
  readonly timeMs: number;
  readonly rev: string;
}

/** An event that cannot be applied, with the reason. A sink keeps it where an operator can find it. */
export type DeadRow = DeadEntry;

export type SinkRow = RecordRow | AccountRow | IdentityRow | SyncRow | DeadRow;
