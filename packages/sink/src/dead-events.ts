/** The dead events that a sink keeps: to look at them, to try them again, or to discard them. Every method @throws SinkError */
import type { FirehoseEvent } from "@firehose-backfill/core/event";

export interface DeadEvents extends AsyncDisposable {
  /**
   * The next dead events that were not claimed since `sinceMs`, in the order of the stream; those that were never tried, or were
   * tried longest ago, come first. At most `limit`, and not many more than a few megabytes. `id`: only that one.
   */
  claim(options: {
    readonly sinceMs: number;
    readonly nowMs: number;
    readonly limit: number;
    /** Left out: whichever. */
    readonly id?: string;
    /** Left out: of every run. */
    readonly runId?: string;
    /** Left out: with any reason. */
    readonly reason?: string;
  }): Promise<readonly ClaimedEvent[]>;
  /** How many dead events cannot be tried again, because no complete event was stored. */
  countUntriable(which?: DeadOf): Promise<number>;
  /** Those of them that are a repository that could not be read and is still dead, in order; at most `limit`. */
  failedRepositories(options: DeadOf & { readonly limit: number }): Promise<readonly FailedRepository[]>;
  /** They are not dead any more: the repositories are read anew. */
  handOver(ids: readonly string[]): Promise<void>;
  /** A page of them: the newest run first, and within a run the order of the stream. */
  list(options: ListDeadOptions): Promise<readonly DeadEvent[]>;
  /** Those that are still dead, by reason, the most frequent first. Left out: of all runs. */
  countByReason(runId?: string): Promise<Readonly<Record<string, number>>>;
  /**
   * Removes rows of events that are still dead. One that is being applied at this moment stays. Returns how many of each run
   * are gone.
   */
  discard(which: DeadFilter): Promise<Readonly<Record<string, number>>>;
}

/** Each that is given must be true. */
export interface DeadOf {
  readonly runId?: string;
  readonly reason?: string;
}

export interface DeadFilter extends DeadOf {
  readonly id?: string;
}

export interface ListDeadOptions extends DeadFilter {
  readonly limit: number;
  /** The last one of the page before. */
  readonly after?: Pick<DeadEvent, "runId" | "seq" | "id">;
  /** Also those that a redrive has applied. */
  readonly withApplied?: boolean;
  /** Larger events are left out of the answer. Left out: none is. */
  readonly maxEventBytes?: number;
}

/** A dead event as it is kept. */
export interface DeadEvent {
  readonly id: string;
  readonly runId: string;
  readonly seq: number;
  readonly did: string | null;
  readonly path: string | null;
  readonly reason: string;
  readonly error: string;
  /** The beginning of what arrived. */
  readonly payload: Uint8Array;
  /** ISO 8601, as all times here. */
  readonly createdAt: string;
  /** When it was last sent to be tried again. null: never. */
  readonly redrivenAt: string | null;
  /** null: it is still dead. */
  readonly appliedAt: string | null;
  /** The batch that applied it. */
  readonly appliedBy: string | null;
  /** The size of the complete event. null: none was stored, so it cannot be tried again. */
  readonly eventBytes: number | null;
  /** null: none was stored, it is larger than was asked for, or a newer program has written it. */
  readonly event: FirehoseEvent | null;
}

/** A dead event that is a whole repository. */
export interface FailedRepository {
  readonly id: string;
  readonly runId: string;
  readonly did: string;
}

/** What comes from a repository has no place in a stream, and what is of the whole repository has no path. */
export function isFailedRepository<T extends Pick<DeadEvent, "seq" | "did" | "path" | "eventBytes">>(
  dead: T,
): dead is T & { readonly did: string } {
  return dead.seq === 0 && dead.path === null && dead.did !== null && dead.eventBytes === null;
}

/** In the place of the batch that applied it: its repository was requested to be read anew. */
export const BY_RESYNC = "resync";

/** A dead event that is to be tried again. */
export interface ClaimedEvent {
  readonly id: string;
  readonly runId: string;
  readonly reason: string;
  readonly event: FirehoseEvent;
}
