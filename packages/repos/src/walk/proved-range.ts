/** What a walk yields: a range of a repository's keys, and all records in it at one signed revision. */

export interface RangeRecord {
  /** `collection/rkey`. Its characters are valid in a key; whether the collection is an NSID is not checked. */
  readonly key: string;
  readonly cid: Uint8Array;
  /** The record's block. Its hash is checked; it is not decoded. It is a view of a larger buffer: copy it to keep it. */
  readonly bytes: Uint8Array;
}

/**
 * It says: "Above `from`, up to and including `to`, there are exactly these records." It lies within one collection, or between collections,
 * where there are no records. A later walk resumes with `to`, on this commit or on a newer one.
 */
export interface ProvedRange {
  readonly did: string;
  /** Revision of the signed commit that proves the range. */
  readonly rev: string;
  /** null: the range lies between collections, and proves that there are no others. */
  readonly collection: string | null;
  readonly from: string;
  readonly to: string;
  /** The range says nothing about record keys that are TIDs below this one. null: it covers all keys. */
  readonly sinceTid: string | null;
  readonly records: readonly RangeRecord[];
  /** No wanted key comes after it. */
  readonly isLast: boolean;
}
