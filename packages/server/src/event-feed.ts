/** What was applied last, from the database of the settings, or from the embedded one of a run that goes on. */
import type { Settings } from "@firehose-backfill/core/config/settings";
import { findPostgresUrl } from "@firehose-backfill/embedded/postgres-address";
import type { AppliedRecord } from "@firehose-backfill/sink/applied-record";
import type { Change, ChangePage } from "@firehose-backfill/sink/change-feed";
import { openDesk } from "./open-sink.ts";

export type { AppliedRecord, Change, ChangePage };

export interface EventFeed extends AsyncDisposable {
  /** The last ones, oldest first. @throws SinkError */
  last(limit: number): Promise<readonly AppliedRecord[]>;
  /** Where the change feed stands now. @throws SinkError */
  now(): Promise<string>;
  /** What changed since that token or "start", a page of it. @throws SinkError (`broken`) when the token cannot be used */
  changes(since: string): Promise<ChangePage>;
}

/** There is no database to read from. `message` says what to do. */
export class NoDatabaseError extends Error {
  override readonly name = "NoDatabaseError";
  isRetryable(): boolean {
    return false;
  }
}

/** Records are whole: so many of them stay small. */
const AT_ONCE = 500;

/** Connects at the first question. @throws NoDatabaseError, DatabaseUrlError */
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
