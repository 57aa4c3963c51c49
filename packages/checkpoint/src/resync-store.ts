/** Repositories of a database that have to be read anew, because the stream did not bring all of their commits. One request a repository. */

/** Never rename one: they are stored and shown. */
export const RESYNC_REASONS = ["chain", "sync", "inversion"] as const;
export type ResyncReason = (typeof RESYNC_REASONS)[number];

export interface ResyncRequest {
  readonly did: string;
  readonly reason: ResyncReason;
  /** The revision of the commit that showed the problem; null: not known. */
  readonly rev: string | null;
  readonly atMs: number;
}

export interface Resyncs {
  /** If a process was killed between two writes, it may be off by one. */
  readonly count: number;
  /** The first ones, in the order of their DIDs. */
  readonly first: readonly ResyncRequest[];
}

/** At most this many are stored. With more, the whole copy must be checked anyway. */
export const MAX_RESYNCS = 10_000;

export interface ResyncStore {
  /**
   * An existing request stays, except that a request for a failed inversion replaces it. Requests for failed inversions are
   * never withdrawn. false: nothing was stored.
   */
  requestResync(paceId: string, request: ResyncRequest): Promise<boolean>;
  /** Withdraws the request, because the missing commit has arrived. A request for a failed inversion stays. */
  withdrawResync(paceId: string, did: string): Promise<void>;
  listResyncs(paceId: string, limit: number): Promise<Resyncs>;
}
