/** Postgres as a sink: the one entry of this package for a composition root. */
import type { AppliedFeed } from "@firehose-backfill/sink/applied-feed";
import type { SinkKit } from "@firehose-backfill/sink/kit";
import { listApplied } from "./applied.ts";
import { openChanges } from "./changes.ts";
import { type DatabaseOptions, openDatabase } from "./connection.ts";
import { openCopy } from "./copy/open-copy.ts";
import { parseDatabaseUrl } from "./database-url.ts";
import { examineDatabase, whyUnusable } from "./examine.ts";
import { checkThrottleQuery, whyNoAnswer } from "./health.ts";
import { readIdentity } from "./identity.ts";
import { openDeadEvents } from "./redriven.ts";
import { makeIndexes } from "./make-indexes.ts";
import { migrate } from "./schema/migrate.ts";
import { INDEX_SETS } from "./schema/optional-indexes.ts";
import { createSelfPreparingSink } from "./self-preparing.ts";
import { createSink } from "./sink.ts";
import { removeOldTombstones } from "./tombstones.ts";
import { verifyConnection } from "./verify-connection.ts";

/** Connects to nothing, and never throws: `checkAddress` looks at the address. */
export function openSink(
  databaseUrl: string,
  options: Pick<DatabaseOptions, "signal" | "iam" | "connectTimeoutMs" | "roundTripTimeoutMs" | "useTimeoutMs"> = {},
): SinkKit {
  const at = { databaseUrl, ...options };
  return {
    checkAddress: () => void parseDatabaseUrl(databaseUrl),
    openSink({ statementMs, preparesItself = false, ...open }) {
      const sinkOptions = { ...at, ...open, ...(statementMs === undefined ? {} : { timeouts: { statementMs } }) };
      return preparesItself ? createSelfPreparingSink(sinkOptions) : createSink(sinkOptions);
    },
    openDeadEvents: () => openDeadEvents(at),
    openAppliedFeed: () => openAppliedFeed(at),
    openCopy: (open) => openCopy({ ...at, ...open }),
    tidying: {
      async removeOldTombstones(tidying) {
        await using database = openDatabase({ ...at, poolSize: 1 });
        return await removeOldTombstones({ database, ...tidying });
      },
    },
    indexes: {
      sets: Object.fromEntries(Object.entries(INDEX_SETS).map(([name, { serves }]) => [name, serves])),
      make: (sets) => makeIndexes(at, sets),
    },
    verify: () => verifyConnection(at),
    identity: () => readIdentity(at),
    async examine() {
      const found = await examineDatabase(at);
      return { ...found, problem: whyUnusable({ ...found, isReadOnly: false }) };
    },
    migrate: () => migrate(at),
    checkThrottleQuery: (throttleQuery) => checkThrottleQuery({ ...at, throttleQuery }),
    whyNoAnswer: (throttleQuery) => whyNoAnswer({ ...at, throttleQuery }),
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
