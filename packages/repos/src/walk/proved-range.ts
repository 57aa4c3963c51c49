/** What a walk yields: a stretch of a repository's keys, and everything that stands in it at one signed revision. */

export interface RangeRecord {
  /** `collection/rkey`. Its characters are those of a key; whether the collection is an NSID is not looked at. */
  readonly key: string;
  readonly cid: Uint8Array;
  /** The record's block. Its hash is checked; it is not decoded. A view of a larger buffer: copy what is kept. */
  readonly bytes: Uint8Array;
}

/**
 * "Above `from`, up to and with `to`, there are exactly these records." Lies within one collection, or between collections, where there is
 * none. `to` is also the token at which a later walk goes on, on this commit or on a newer one.
 */
export interface ProvedRange {
  readonly did: string;
  /** Of the signed commit that proves it. */
  readonly rev: string;
  /** null: the range lies between collections, and proves that there are no others. */
  readonly collection: string | null;
  readonly from: string;
  readonly to: string;
  /** Nothing is said of record keys that are TIDs below this one: they are neither listed nor absent. null: everything is said. */
  readonly sinceTid: string | null;
  readonly records: readonly RangeRecord[];
  /** Nothing that is wanted comes after it. */
  readonly isLast: boolean;
}
