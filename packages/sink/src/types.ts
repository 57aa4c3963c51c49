/** Where events are applied. The consumer decodes and verifies; the sink takes rows and keeps the promises of the tables. */
import type { BatchCounts } from "@firehose-backfill/core/batch";
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import type { FirehoseEvent, RecordAction, RecordEvent } from "@firehose-backfill/core/event";

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
  /** What it was made of, kept should the database refuse it. Left out: then it cannot be tried again. */
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

/** One row of `dead_events`. */
export interface DeadRow {
  readonly kind: "dead";
  readonly did: string | null;
  readonly seq: number;
  readonly timeMs: number;
  readonly path: string | null;
  readonly reason: string;
  readonly error: string;
  readonly payload: Uint8Array;
  /** What can be tried again. Left out: what arrived was never an event. */
  readonly event?: Exclude<FirehoseEvent, { readonly kind: "dead" }>;
}

export type SinkRow = RecordRow | AccountRow | IdentityRow | SyncRow | DeadRow;

export interface ApplyRequest {
  readonly runId: string;
  /** Whose slots are locked: `maxConcurrent` holds for all batches of a pace together, of whatever run. */
  readonly paceId: string;
  readonly maxConcurrent: number;
  readonly rows: readonly SinkRow[];
  /** Given: `rows` are dead events that are tried again. */
  readonly redrive?: Redrive;
  /** The host whose sequence numbers the rows carry. Left out: all rows are of one host. */
  readonly host?: string;
  /** The one that the run is bound to: with another one nothing is written, and apply() throws `broken`. */
  readonly database?: DatabaseIdentity | null;
  /** Of a run that is bound to none yet: called before a row is sent, with the database that answers; returns what it is bound to. */
  readonly bind?: (found: DatabaseIdentity) => Promise<DatabaseIdentity>;
  /** Asked once the lock is held: false rolls back with `late`, before any statement is sent. */
  readonly isOnTime: () => boolean;
  /** Called while the lock is held and nothing is sent yet; what it throws rolls back. For tests. */
  readonly onLocked?: () => void | Promise<void>;
}

/** Which dead events the rows of a batch are. */
export interface Redrive {
  /** Names the batch, and no other one of its run. */
  readonly batch: string;
  /** Of rows of `dead_events`, one a row. */
  readonly ids: readonly string[];
}

/** A dead event that is to be tried again. */
export interface ClaimedEvent {
  readonly id: string;
  readonly runId: string;
  readonly reason: string;
  readonly event: FirehoseEvent;
}

/** What a redrive needs of `dead_events`. Every method @throws SinkError */
export interface DeadEvents extends AsyncDisposable {
  /**
   * The next ones that are still dead and were not claimed since `sinceMs`, in the order of the stream, those first that
   * were tried longest ago or never: at most `limit`, and not many more than a few megabytes.
   */
  claim(options: {
    readonly sinceMs: number;
    readonly nowMs: number;
    readonly limit: number;
  }): Promise<readonly ClaimedEvent[]>;
  /** How many are still dead of which nothing was kept that could be tried again. */
  countUntriable(): Promise<number>;
}

export type ApplyResult =
  /** Committed. Rows that the database itself refused were set aside as dead events and are in `counts.dead`. */
  | { readonly kind: "applied"; readonly counts: BatchCounts; readonly durationMs: number }
  /** No advisory lock was free: maxConcurrent batches are being applied. */
  | { readonly kind: "busy" }
  | { readonly kind: "late" };

/** How production is, by BACKFILL_THROTTLE_QUERY. */
export type Health =
  | { readonly kind: "healthy" }
  /** `because`: `throttle query: 3 > 0`, `throttle query: timed out`, ... Fails closed. */
  | { readonly kind: "unhealthy"; readonly because: string };

/**
 * Errors a sink throws, told apart by SQLSTATE class.
 * `service`: the database is away or busy: wait, no attempt counted. Also whatever fails before the transaction is open.
 * `broken`: our own broken state, the run stops loudly (42, 28, 3D, 0A, wrong schema version, another database).
 * `attempt`: everything else; counts an attempt. What each SQLSTATE is stands in sqlstate.ts.
 * A bad event is never thrown: it is bisected out and set aside. 40001, 40P01 and 55P03 are retried inside, at most 5 times.
 */
export type SinkErrorKind = "service" | "broken" | "attempt";

export interface Sink {
  apply(request: ApplyRequest): Promise<ApplyResult>;
  /** At most one query each 5 s; the answer in between is the last one. Healthy when no query is configured. */
  health(): Promise<Health>;
  pool(): { readonly used: number; readonly size: number };
  [Symbol.asyncDispose](): Promise<void>;
}
