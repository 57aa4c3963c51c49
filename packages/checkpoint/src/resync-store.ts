/** Repositories of a database that have to be read anew, because the stream did not bring all of their commits. One request a repository. */

/** Never rename one: they are stored and shown. */
export const RESYNC_REASONS = ["chain", "sync", "inversion", "audit", "failed", "operator"] as const;
export type ResyncReason = (typeof RESYNC_REASONS)[number];

export interface ResyncRequest {
  readonly did: string;
  readonly reason: ResyncReason;
  /** The commit that showed it; null: not known. */
  readonly rev: string | null;
  readonly atMs: number;
}

export interface Resyncs {
  /** If a process was killed between two writes, it may be off by one. */
  readonly count: number;
  /** The first ones, in the order of their DIDs. */
  readonly first: readonly ResyncRequest[];
}

/** More than that are not stored: then the whole copy has to be looked at. */
export const MAX_RESYNCS = 10_000;

export interface ResyncStore {
  /** A request that is there stays, unless it came from a missing link and this one did not, which no link withdraws. False: nothing was stored. */
  requestResync(paceId: string, request: ResyncRequest): Promise<boolean>;
  /** What was missing has come. A request that did not come from a missing link stays. */
  withdrawResync(paceId: string, did: string): Promise<void>;
  listResyncs(paceId: string, limit: number): Promise<Resyncs>;
}
