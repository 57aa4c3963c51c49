/** What was applied: the last ones for a person who watches, and all changes since a token. */
import type { AppliedRecord } from "./applied-record.ts";
import type { ChangeFeed } from "./change-feed.ts";

export interface AppliedFeed extends ChangeFeed, AsyncDisposable {
  /** The last ones of the stream, oldest first. @throws SinkError */
  last(limit: number): Promise<readonly AppliedRecord[]>;
}
