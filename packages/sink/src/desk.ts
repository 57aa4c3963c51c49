/** What an operator at a desk asks of the tables, beside a deployment. */
import type { AppliedFeed } from "./applied-feed.ts";
import type { OptionalIndexes } from "./optional-indexes.ts";

export interface SinkDesk {
  openAppliedFeed(): AppliedFeed;
  readonly indexes: OptionalIndexes;
}
