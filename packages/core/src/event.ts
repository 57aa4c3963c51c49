/**
 * The events of a source. An event is the unit of BACKFILL_BATCH_SIZE and of every rate: one record operation of a #commit,
 * one #account, #identity or #sync marker, or one record of a repository. A range of a repository counts as its records; a
 * range without records counts as one event, because it costs a statement. The reader never decodes records: their DAG-CBOR
 * bytes travel unchanged, and the consumer decodes them.
 */
export const HANDLE_CHECKS = ["verified", "elsewhere", "unreachable", "none", "gone"] as const;

interface EventBase {
  /** Of its frame. 0: it comes from a repository, and has no place in a stream. */
  readonly seq: number;
  /**
   * The frame's `time`, milliseconds since the epoch. Of a repository's record: the time of its record key where that is a
   * TID, else the commit's.
   */
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
  /** Only where the handle was looked up in the account's DID document, and not said by a stream. */
  readonly check?: HandleCheck;
}

/**
 * What came of looking a handle up, and of asking its domain for the DID. `verified`: they name each other. `elsewhere`: the domain names
 * another account. `unreachable`: document or domain gave no answer, so it is asked again another day. `none`: the document names no
 * handle, or an invalid one. `gone`: there is no document.
 */
export type HandleCheck = (typeof HANDLE_CHECKS)[number];

export interface SyncEvent extends EventBase {
  readonly kind: "sync";
  readonly rev: string;
}

/**
 * What one commit says of the history of its repository, whichever of its operations pass the filter; only from BACKFILL_VERIFY=chain on.
 * It is written to the database, so it counts as an event of its own.
 */
export interface LinkEvent extends EventBase {
  readonly kind: "link";
  readonly rev: string;
  /** The revision of the commit before; null: the commit does not say, or is the first. */
  readonly since: string | null;
  /** CID of the root of the tree before the commit; null as above. */
  readonly prevData: Uint8Array | null;
  /** CID of the root of the tree since the commit. */
  readonly data: Uint8Array;
  /** It comes from a `#sync`, which names no commit before it. */
  readonly isSync: boolean;
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

/**
 * What a repository proves of a stretch of its keys: above `from`, up to and with `to`, it holds exactly the `records` that
 * follow this event in its batch, at the signed revision `rev`; whatever else a table has there is deleted. Keys are
 * `collection/rkey`, compared byte by byte.
 * Its records are record events of the action `create`, with `seq` 0, in ascending order of their keys, with this `did` and
 * this `rev`. One that cannot be read is a dead entry in its place, with its `path`: it is there, so it is not deleted.
 */
export interface RangeEvent extends EventBase {
  readonly kind: "range";
  /** 0: a range has no place in a stream. */
  readonly seq: number;
  /** When the range was read. A row that it deletes takes this time: nobody knows when the record went. */
  readonly timeMs: number;
  /** Of the signed commit. */
  readonly rev: string;
  /** null: the range lies between collections, and proves that there are no others. */
  readonly collection: string | null;
  /** Exclusive. May be a bound that is no key: empty, or the beginning of a collection. */
  readonly from: string;
  /** Inclusive, and may be no key either. */
  readonly to: string;
  /** Nothing is said of record keys that are TIDs below this one. null: everything is said. */
  readonly sinceTid: string | null;
  /** How many events that follow belong to it. */
  readonly records: number;
}

export type MarkerEvent = AccountEvent | IdentityEvent | SyncEvent;
/** An event that can be applied by itself. */
export type LiveEvent = RecordEvent | MarkerEvent | LinkEvent;
export type FirehoseEvent = LiveEvent | RangeEvent | DeadEntry;
