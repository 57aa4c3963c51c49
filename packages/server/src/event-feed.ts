/** Reads what was applied last, from the database of the settings or from the embedded one of a running process. */
import type { Settings } from "@firehose-backfill/core/config/settings";
import { findPostgresUrl } from "@firehose-backfill/embedded/postgres-address";
import type { AppliedRecord } from "@firehose-backfill/sink/applied-record";
import type { Change, ChangePage } from "@firehose-backfill/sink/change-feed";
import { openDesk } from "./open-sink.ts";

export type { AppliedRecord, Change, ChangePage };

export interface EventFeed extends AsyncDisposable {
  /** The last records, oldest first. @throws SinkError */
  last(limit: number): Promise<readonly AppliedRecord[]>;
  /** The current token of the change feed. @throws SinkError */
  now(): Promise<string>;
  /** A page of the changes since that token or "start". @throws SinkError (`broken`) if the token cannot be used */
  changes(since: string): Promise<ChangePage>;
}

/** There is no database to read from. `message` says what to do. */
export class NoDatabaseError extends Error {
  override readonly name = "NoDatabaseError";
  isRetryable(): boolean {
    return false;
  }
}

/** Records are not shortened, so a page has only this many. */
const AT_ONCE = 500;

/** Connects at the first call. @throws NoDatabaseError, DatabaseUrlError */
export async function openEvents(settings: Pick<Settings, "databaseUrl" | "dataDir">): Promise<EventFeed> {
  const databaseUrl = settings.databaseUrl ?? (await findPostgresUrl(settings.dataDir));
  if (databaseUrl === null) {
    const hint = "set DATABASE_URL, or repeat this command while firehose-backfill run is running";
    throw new NoDatabaseError(`no database is running on ${settings.dataDir}: ${hint}`);
  }
  const feed = openDesk(databaseUrl).openAppliedFeed();
  return {
    last: (limit) => feed.last(limit),
    now: () => feed.now(),
    changes: (since) => feed.changes(since, AT_ONCE),
    [Symbol.asyncDispose]: () => feed[Symbol.asyncDispose](),
  };
}
