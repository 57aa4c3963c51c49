/** The sink on Postgres. Composition roots use only this function of the package. */
import type { SinkKit } from "@firehose-backfill/sink/kit";
import { type DatabaseOptions, openDatabase } from "./connection.ts";
import { openCopy } from "./copy/open-copy.ts";
import { parseDatabaseUrl } from "./database-url.ts";
import { examineDatabase, whyUnusable } from "./examine.ts";
import { openHandleList } from "./handle-list.ts";
import { checkThrottleQuery, whyNoAnswer } from "./health.ts";
import { readIdentity } from "./identity.ts";
import { openDeadEvents } from "./redriven.ts";
import { migrate } from "./schema/migrate.ts";
import { createSelfPreparingSink } from "./self-preparing.ts";
import { createSink } from "./sink.ts";
import { removeOldTombstones } from "./tombstones.ts";
import { verifyConnection } from "./verify-connection.ts";

export { openDesk } from "./open-desk.ts";

/** Does not connect and never throws. `checkAddress` checks the address. */
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
    openCopy: (open) => openCopy({ ...at, ...open }),
    openHandleList: () => openHandleList(at),
    tidying: {
      async removeOldTombstones(tidying) {
        await using database = openDatabase({ ...at, poolSize: 1 });
        return await removeOldTombstones({ database, ...tidying });
      },
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
