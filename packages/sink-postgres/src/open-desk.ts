/** The queries of an operator. They are not in open-sink.ts, so that the bundles of deployed functions do not contain them. */
import type { AppliedFeed } from "@firehose-backfill/sink/applied-feed";
import type { SinkDesk } from "@firehose-backfill/sink/desk";
import { listApplied } from "./applied.ts";
import { openChanges } from "./changes.ts";
import { type DatabaseOptions, openDatabase } from "./connection.ts";
import { makeIndexes } from "./make-indexes.ts";
import { INDEX_SETS } from "./schema/optional-indexes.ts";

/** Does not connect yet. */
export function openDesk(databaseUrl: string): SinkDesk {
  const at = { databaseUrl };
  return {
    openAppliedFeed: () => openAppliedFeed(at),
    indexes: {
      sets: Object.fromEntries(Object.entries(INDEX_SETS).map(([name, { serves }]) => [name, serves])),
      make: (sets) => makeIndexes(at, sets),
      makeMissing: () => makeIndexes(at, ["changes"]),
    },
  };
}

function openAppliedFeed(at: Omit<DatabaseOptions, "poolSize">): AppliedFeed {
  const database = openDatabase({ ...at, poolSize: 1 });
  return {
    last: (limit) => listApplied({ database, limit }),
    ...openChanges(database),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
