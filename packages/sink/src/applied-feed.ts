/** What was applied last, for a person who watches: records as they stand, in the order of their sequence numbers. */
export interface AppliedFeed extends AsyncDisposable {
  /** The last ones, oldest first. @throws SinkError */
  last(limit: number): Promise<readonly AppliedRecord[]>;
  /** Those above it, oldest first, `limit` at most. Events that are applied late, below it, are not seen. @throws SinkError */
  after(seq: number, limit: number): Promise<readonly AppliedRecord[]>;
}

export interface AppliedRecord {
  readonly seq: number;
  /** Event time, ISO 8601. */
  readonly time: string;
  readonly did: string;
  readonly collection: string;
  readonly rkey: string;
  /** Of the record's last commit. */
  readonly rev: string;
  /** null where it is deleted. */
  readonly cid: string | null;
  readonly isDeleted: boolean;
  /** The record's JSON text; null where it is deleted. */
  readonly record: string | null;
}
