/** What a setting does to a real Postgres: the consumers of a long-lived process, as the server counts their connections. */
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { newRun } from "@firehose-backfill/backfill/new-run";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { createMemoryQueue } from "@firehose-backfill/testing/queue/memory-queue";
import { localConsumers } from "@firehose-backfill/server/local-consumers";
import { openSink } from "@firehose-backfill/sink-postgres/open-sink";
import { watchDatabase } from "../throttle/watch-database.ts";
import { deleteEvent } from "./events.ts";

const BATCHES = 12;
const BATCH_TAKES_SECONDS = 0.1;

/** Most connections that were open at once. */
export async function observeConnections(
  databaseUrl: string,
  settings: Readonly<Record<string, string>>,
): Promise<number> {
  await openSink(databaseUrl).migrate();
  await using watch = await watchDatabase(databaseUrl, { batchTakesSeconds: BATCH_TAKES_SECONDS });
  const clock = systemClock;
  const store = createMemoryStore();
  const queue = createMemoryQueue({ clock, random: Math.random });
  const config = parseConfig({ BACKFILL_BATCH_DELAY_MS: "0", ...settings });
  const run = await store.createRun(newRun(config, { runId: "run", nowMs: clock.now() }));
  await queue.send(
    Array.from({ length: BATCHES }, (_, number) => ({
      batch: {
        key: { runId: "run", generation: 1, window: 1, fence: 1, number },
        dueMs: clock.now(),
        paceVersion: 0,
        events: EventLog.of([deleteEvent(number + 1)]).slice(),
      },
      delaySeconds: 0,
    })),
  );
  const stop = new AbortController();
  const consumers = localConsumers({
    kind: "in-process",
    adapters: { store, queue, [Symbol.asyncDispose]: () => Promise.resolve() },
    addresses: { databaseUrl, queueUrl: "", dlqUrl: "", queueEndpoint: null, table: "", tableEndpoint: null },
    throttleQuery: null,
    poolSize: config.settings.dbPoolSize,
    clock,
    random: Math.random,
    log: () => {},
    signal: stop.signal,
    currentRun: () => run,
  });
  await watch.untilBatches(BATCHES);
  stop.abort();
  await consumers.done;
  return (await watch.seen()).mostConnections;
}
