/**
 * Where events are applied. The consumer decodes and verifies; a sink takes rows and keeps the promises of its tables: each
 * batch is applied as a whole or not at all, and applying it again changes nothing.
 */
import type { BatchKey } from "@firehose-backfill/core/batch";
import type { DatabaseIdentity } from "@firehose-backfill/core/database-identity";
import type { ProductionHealth } from "./production-health.ts";
import type { SinkRow } from "./rows.ts";
import type { SlotLock } from "./slot-lock.ts";

export interface Sink extends AsyncDisposable {
  /** @param batch names the rows: the same batch may come twice. @throws SinkError */
  apply(batch: BatchKey, rows: readonly SinkRow[], options: ApplyOptions): Promise<ApplyResult>;
  /** Batches that are applied now, and that can be applied at the same time. */
  pool(): { readonly used: number; readonly size: number };
}

export interface ApplyOptions {
  readonly lock: SlotLock;
  /** How many rows that ranges prove absent may be removed by this call. Left out: as many as there are. */
  readonly maxRemovals?: number;
  /** The ranges are of a resync: what an earlier one has proved is looked at again, because rows may have been changed since. */
  readonly isRepair?: boolean;
  /** The collections that the run writes; an empty list: all. A walk that has proved them has filled the gaps before its revision. */
  readonly collections?: readonly string[];
  /** Given: the rows are these dead events, one a row, that are tried again. */
  readonly deadEventIds?: readonly string[];
  /** The host whose sequence numbers the rows carry. Left out: all rows are of one host. */
  readonly host?: string;
  /** The one that the run is bound to: with another one nothing is written, and apply() throws `broken`. */
  readonly database?: DatabaseIdentity | null;
  /** Of a run that is bound to none yet: called before a row is sent, with the database that answers; returns what it is bound to. */
  readonly bind?: (found: DatabaseIdentity) => Promise<DatabaseIdentity>;
  /**
   * Called if links open or close a gap, before the commit and while the repositories are locked: so what two batches say of one
   * repository arrives in their order. What it throws takes the batch back.
   */
  readonly onChain?: (found: ChainFindings) => Promise<void>;
}

/** What links say of repositories, in this call or in an earlier one with the same rows. */
export interface ChainFindings {
  /** A link does not connect to what came before it. What is between may still come, in a batch that is applied later. */
  readonly opened: readonly { readonly did: string; readonly rev: string; readonly reason: "chain" | "sync" }[];
  /** What was between has come, and nothing is missing now. A walk has filled the gaps up to `provedRev`; null: none has. */
  readonly closed: readonly { readonly did: string; readonly provedRev: string | null }[];
}

/** What became of the rows: each is counted once. */
export interface AppliedCounts {
  readonly applied: number;
  /** An older operation on a key that holds a newer one. null: this sink cannot tell, and counts those as applied. */
  readonly stale: number | null;
  readonly dead: number;
  /** `dead` by reason. */
  readonly deadReasons?: Readonly<Record<string, number>>;
  /** Rows that the ranges prove absent and that were there, those of earlier calls for this batch included. */
  readonly removed?: number;
}

export type ApplyResult =
  /** Committed. Rows that the sink itself refused were kept as dead events and are in `counts.dead`. */
  | {
      readonly kind: "applied";
      readonly counts: AppliedCounts;
      readonly durationMs: number;
    }
  /**
   * Committed in part: all that was given is written, `removed` rows that ranges prove absent are gone, and about `left` of
   * them are still there. Called again, the sink goes on, and at the end counts the whole batch.
   */
  | { readonly kind: "more"; readonly removed: number; readonly left: number; readonly durationMs: number }
  /** The lock could not be had: as many batches as are allowed are being applied. */
  | { readonly kind: "busy" }
  | { readonly kind: "late" };

/** What a consumer is given. */
export interface ConsumerSink extends Sink, ProductionHealth {}
