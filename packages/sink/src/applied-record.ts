/** A record as it is in the tables now. */
export interface AppliedRecord {
  /** Its place in the stream; null where it came from a repository. */
  readonly seq: number | null;
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
