/**
 * Repositories of a database that have to be read anew: the stream did not bring all of their commits, an audit found a difference, or somebody
 * asked. One request a repository, and one more for each list of collections that alone are asked for: a run reads one list, so what the
 * stream lacks must not wait in a request for other collections. A run serves them, which is called `resync`.
 */

/** Never rename one: they are stored and shown. */
export const RESYNC_REASONS = ["chain", "sync", "inversion", "audit", "failed", "operator"] as const;
export type ResyncReason = (typeof RESYNC_REASONS)[number];

export interface NewResync {
  readonly did: string;
  readonly reason: ResyncReason;
  /** The revision of the commit that showed the problem; null: not known. */
  readonly rev: string | null;
  readonly atMs: number;
  /** The run whose filters hold for the reading. Left out: `collections` does. */
  readonly runId?: string;
  /** Read these alone; an empty list: all. Left out: those of the run, or of the deployment. */
  readonly collections?: readonly string[];
}

export interface ResyncRequest extends NewResync {
  /** The run that has taken it. Left out: none has. */
  readonly takenBy?: string;
}

export interface Resyncs {
  /** If a process was killed between two writes, it may be off by one. */
  readonly count: number;
  /** How many were served since there are requests. */
  readonly done: number;
  /** The first ones, in the order of their DIDs. */
  readonly first: readonly ResyncRequest[];
}

/** At most this many are stored. With more, the whole copy must be checked anyway. */
export const MAX_RESYNCS = 10_000;

/**
 * `placed`: stored. `there`: the repository is requested already, and that request stays. `full`: nothing was stored, because there are
 * MAX_RESYNCS requests. `bad-did`: nothing was stored, because the DID is too long.
 */
export type RequestOutcome = "placed" | "there" | "full" | "bad-did";

export interface ResyncStore {
  /**
   * A request that is there stays, but one that a run has taken counts as new: the run may have read the repository already. What the stream
   * cannot withdraw replaces what it can.
   */
  requestResync(paceId: string, request: NewResync): Promise<RequestOutcome>;
  /**
   * What was missing has come. A request that did not come from a missing link stays. `provedRev`: up to there a walk has filled the gaps, and
   * the links have not. A request of a gap before it stays, too: it may have been made for other collections than the walk has read.
   */
  withdrawResync(paceId: string, did: string, provedRev?: string | null): Promise<void>;
  listResyncs(paceId: string, limit: number): Promise<Resyncs>;
  /** Before that run begins. A request that was withdrawn meanwhile is left out of the answer. */
  takeResyncs(
    paceId: string,
    wanted: Pick<NewResync, "collections"> & { readonly dids: readonly string[] },
    runId: string,
  ): Promise<readonly string[]>;
  /** The run has read it. Nothing, where the request has come again meanwhile. */
  endResync(paceId: string, did: string, runId: string): Promise<void>;
}
