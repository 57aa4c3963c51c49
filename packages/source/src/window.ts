/** What a source gives: windows, each what was read between two checkpoints. */
import type { EventLog } from "@firehose-backfill/core/cbor/event-log";
import type { Cursor } from "./cursor.ts";
import type { Verdict } from "./verdict.ts";

/**
 * What the source wants to find again when it is opened next: a text of its own. It is stored with the cursor
 * and read by nobody else. Facts that others need are fields of Window.
 */
export type SourceState = string;

export interface WindowLimits {
  /** Matched events that may be taken; events that are skipped because they are before the start are free. */
  readonly maxEvents: number;
  /** What this window and those after it may take together, as far as it is known: nothing is fetched ahead for more. Left out: maxEvents. */
  readonly tickEvents?: number;
  /** Bytes kept (records and keys of matched events), and bytes read. */
  readonly maxBytes: number;
  readonly maxReadBytes: number;
  readonly maxMs: number;
  /** Take the first unit even if it alone is larger than maxEvents. */
  readonly takeFirstWhole: boolean;
  /** What one range of a repository may hold, so that it fits into one batch: records, and their encoded bytes. */
  readonly maxRange: number;
  readonly maxRangeBytes: number;
}

/** How far a run has come that reads one thing after another: repositories, for now. Figures for people; nothing decides by them. */
export interface SourceProgress {
  /** As many as are known so far; all of them where `isComplete`. */
  readonly known: number;
  readonly done: number;
  readonly inWork: number;
  /** They wait for their host. */
  readonly deferred: number;
  readonly failed: number;
  readonly isComplete: boolean;
  /** The one that was begun first of those in work; null: nothing of any is read. Left out: it is not told. */
  readonly current?: CurrentRepo | null;
}

export interface CurrentRepo {
  readonly did: string;
  /** Where the reading of it stands: `collection/rkey`, or a bound between keys. At most 100 characters. */
  readonly key: string;
  /** Read so far. */
  readonly records: number;
  /** How many there are, about; null: not known. */
  readonly estimated: number | null;
}

/** Units that the source had and no longer has. */
export interface SourceGap {
  readonly from: Cursor;
  readonly to: Cursor;
  readonly reason: string;
}

export interface Window {
  /** Everything that passed the filter, in order, and what is dead on arrival. Reused when the next window is read. */
  readonly events: EventLog;
  /** Events seen, skipped and dead ones included. */
  readonly received: number;
  readonly skipped: Readonly<Record<string, number>>;
  /** What the source counts in: a relay's frames. */
  readonly units: number;
  /** Units of kinds that this version does not know; they were passed over. */
  readonly unknown: number;
  /** null: nothing came, and there is nothing to register. */
  readonly to: Cursor | null;
  /** The first unit of this window. */
  readonly first: Cursor | null;
  /** To be stored with the cursor; null: the source has nothing to remember. */
  readonly state: SourceState | null;
  /** The oldest moment that the source keeps, by event time. null: it keeps everything, or it is not known. */
  readonly keptSinceMs: number | null;
  /** The same, as far as it says that the run cannot begin where it was asked to. Only the run's first window is asked. */
  readonly startKeptSinceMs: number | null;
  readonly gaps: readonly SourceGap[];
  readonly verdict: Verdict;
  /** null or left out: the source does not count so. A relay's is told by its times. */
  readonly progress?: SourceProgress | null;
}

export interface EventSource {
  /** Reads on from where the last window ended. Never rejects for what the network does: the verdict says it. */
  readWindow(limits: WindowLimits, signal: AbortSignal): Promise<Window>;
  [Symbol.asyncDispose](): Promise<void>;
}
