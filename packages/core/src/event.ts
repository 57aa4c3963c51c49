/**
 * The events of the firehose. An event is the unit of BACKFILL_BATCH_SIZE and of every rate: one record operation of a
 * #commit, or one #account, #identity or #sync marker. The reader never decodes records: their DAG-CBOR bytes travel
 * unchanged, and the consumer decodes them.
 */
interface EventBase {
  readonly seq: number;
  /** The frame's `time`, milliseconds since the epoch. */
  readonly timeMs: number;
  readonly did: string;
}

export type RecordAction = "create" | "update" | "delete";

export interface RecordEvent extends EventBase {
  readonly kind: "record";
  readonly action: RecordAction;
  readonly collection: string;
  readonly rkey: string;
  /** The commit's revision (TID). Orders operations of one repo: compared as text with COLLATE "C". */
  readonly rev: string;
  /** 36 bytes: CIDv1, dag-cbor (or raw), sha-256. null for a delete. Own memory, never a view into the frame. */
  readonly cid: Uint8Array | null;
  /** The record's block, undecoded. null for a delete. Own memory, never a view into the frame. */
  readonly record: Uint8Array | null;
}

export interface AccountEvent extends EventBase {
  readonly kind: "account";
  readonly active: boolean;
  readonly status: string | null;
}

export interface IdentityEvent extends EventBase {
  readonly kind: "identity";
  /** null: the frame had no handle, which does not mean that the handle is gone. */
  readonly handle: string | null;
}

export interface SyncEvent extends EventBase {
  readonly kind: "sync";
  readonly rev: string;
}

/**
 * Something that the reader received and that can never be applied: a broken frame, or an operation that breaks a rule.
 * It goes through the queue because the reader has no database; a consumer writes it to `dead_events`.
 */
export interface DeadEntry {
  readonly kind: "dead";
  readonly seq: number;
  readonly timeMs: number;
  readonly did: string | null;
  /** `collection/rkey` if it is known. */
  readonly path: string | null;
  /** A short stable word, counted and shown: `bad-frame`, `too-many-ops`, `missing-block`, ... */
  readonly reason: string;
  /** One sentence for the operator, escaped where it is printed. */
  readonly error: string;
  /** At most the first 16 KiB of the frame or event. */
  readonly payload: Uint8Array;
  /** The event, if only the given reason prevents it from being applied, so that it can be tried again. */
  readonly event?: LiveEvent;
}

export type MarkerEvent = AccountEvent | IdentityEvent | SyncEvent;
/** An event that can be applied. */
export type LiveEvent = RecordEvent | MarkerEvent;
export type FirehoseEvent = LiveEvent | DeadEntry;
