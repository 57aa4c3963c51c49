/** What was applied: the last ones for a person who watches, and all changes since a token. */
import type { ChangeFeed } from "./change-feed.ts";

export interface AppliedFeed extends ChangeFeed, AsyncDisposable {
  /** The last ones of the stream, oldest first. @throws SinkError */
  last(limit: number): Promise<readonly AppliedRecord[]>;
}

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
