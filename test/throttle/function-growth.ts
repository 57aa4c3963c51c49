/**
 * How the memory of the bundled functions grows with what they have done: reader and, if asked, consumer, each in one process that is never
 * replaced, with the clients and flags that they have on Lambda. Relay, queue, table and Postgres are other processes.
 */
import { DeleteMessageCommand } from "@aws-sdk/client-sqs";
import { createDynamoClient } from "@firehose-backfill/checkpoint/dynamo-client";
import { forkChild } from "@firehose-backfill/embedded/child";
import { startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { startQueueServer } from "@firehose-backfill/embedded/queue-server";
import { startTableServer } from "@firehose-backfill/embedded/table-server";
import { createSqsClient } from "@firehose-backfill/queue/sqs-client";
import { openAdapters } from "@firehose-backfill/server/adapters";
import { systemClock } from "@firehose-backfill/core/clock";
import { openSink } from "@firehose-backfill/sink-postgres/open-sink";
import { ensureTable } from "@firehose-backfill/testing/checkpoint/create-table";
import { bundleFunctions } from "../../scripts/bundle-functions.ts";
import { isDone, receiveMessages, toSqsEvent } from "../functions/host/event-source-mapping.ts";
import { temporaryFolder } from "../support/program.ts";
import { buildGrowthChild, type GrowingFunction, startGrowingFunction } from "./growing-function.ts";
import type { FunctionMemory } from "./function-memory.ts";

export interface MemorySample extends FunctionMemory {
  /** Read by the reader so far, or applied by the consumer. */
  readonly events: number;
}

export interface FunctionGrowthOptions {
  /** At which numbers of events memory is read. It ends at the last one. */
  readonly at: readonly number[];
  /** Collect garbage before memory is read. */
  readonly collect: boolean;
  /** `reader`: what it sends is received, said to be applied and forgotten. `consumer`: the function applies it to Postgres, one batch after the other. */
  readonly measured: "reader" | "consumer";
  /** Default: 500. */
  readonly batchSize?: number;
  /** From the sample with this index on, the function holds so much more for each event, as a leak does. */
  readonly leak?: { readonly afterSample: number; readonly bytesAnEvent: number };
  readonly onSample?: (sample: MemorySample) => void;
}

const TABLE = "growth";
const DEFAULT_BATCH_SIZE = 500;
const MAX_MEMORY_MB = 256;
const EVENTS_OF_A_COPY = 7_875;
const READY_TIMEOUT_MS = 60_000;
const TICK = { action: "tick", scheduledAt: "2026-01-01T00:00:00Z" };
/** A reader uses half of it. */
const TICK_MS = 10_000;
const BATCH_MS = 30_000;
/** Receivers at once, so that the queue stays short. */
const RECEIVERS = 3;

/** One sample for each number of `at`. */
export async function measureFunctionGrowth(options: FunctionGrowthOptions): Promise<readonly MemorySample[]> {
  const { measured } = options;
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const [queue, table, postgres, relayUrl] = await Promise.all([
    startQueueServer({ dataDir: `${folder.path}/queue`, visibilityTimeoutSeconds: 180 }),
    startTableServer({ dataDir: `${folder.path}/table` }),
    measured === "consumer" ? startPostgres({ dataDir: `${folder.path}/postgres`, throwaway: true }) : null,
    startRelay(stack, Math.max(...options.at)),
    bundleFunctions(folder.path),
    buildGrowthChild(folder.path),
  ]);
  for (const server of [queue, table, postgres]) stack.use(server);
  const dynamo = createDynamoClient({ endpoint: table.endpoint });
  await ensureTable(dynamo, TABLE);
  dynamo.destroy();
  if (postgres !== null) await openSink(postgres.databaseUrl).migrate();
  const { queueUrl, dlqUrl } = queue;
  const adapters = stack.use(
    openAdapters(
      { queueUrl, dlqUrl, queueEndpoint: queue.endpoint, table: TABLE, tableEndpoint: table.endpoint },
      { clock: systemClock, random: Math.random },
    ),
  );
  const env = {
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ENDPOINT_URL_SQS: queue.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
    SST_RESOURCE_App: JSON.stringify({ name: "firehose-backfill", stage: TABLE }),
    SST_RESOURCE_DatabaseUrl: JSON.stringify({ value: postgres?.databaseUrl ?? "" }),
    RELAY_URL: relayUrl,
    BACKFILL_QUEUE_URL: queueUrl,
    BACKFILL_DLQ_URL: dlqUrl,
    BACKFILL_TABLE: TABLE,
    BACKFILL_DAYS: "-1",
    BACKFILL_BATCH_SIZE: String(options.batchSize ?? DEFAULT_BATCH_SIZE),
    BACKFILL_BATCH_DELAY_MS: "0",
    BACKFILL_MAX_CONCURRENT: "10",
    BACKFILL_MAX_MEMORY_MB: String(MAX_MEMORY_MB),
  };
  const bundles = folder.path;
  const reader = stack.use(startGrowingFunction("reader", { bundles, env }));
  const over = new AbortController();
  const samples: MemorySample[] = [];
  /** Called while the measured function does nothing, with what it has done so far and since the last call. */
  const look = async (its: GrowingFunction, events: number, more: number): Promise<void> => {
    const { leak } = options;
    if (leak !== undefined && samples.length > leak.afterSample) await its.leak(more * leak.bytesAnEvent);
    const at = options.at[samples.length];
    if (at === undefined || events < at) return;
    const sample = { events, ...(await its.memory(options)) };
    samples.push(sample);
    options.onSample?.(sample);
    if (samples.length === options.at.length) over.abort();
  };

  const read = async (): Promise<void> => {
    for (let received = 0; !over.signal.aborted;) {
      const before = received;
      await reader.invoke(TICK, { remainingMs: TICK_MS });
      const run = await adapters.store.currentRun();
      received = run?.totals.received ?? 0;
      if (measured === "consumer") continue;
      if (run?.status !== "running") throw new Error(`after ${received} events the run is ${run?.status}`);
      await look(reader, received, received - before);
    }
  };

  const forget = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const messages = await adapters.queue.receive({ max: 10, waitSeconds: 1 });
      await Promise.all(
        messages.map(async ({ content, receiptHandle }) => {
          if (content.kind !== "batch") throw new Error(`a message is ${content.kind}`);
          const { key, events } = content.batch;
          const counts = { applied: events.length, stale: 0, dead: 0 };
          await adapters.store.finish(key, "applied", counts, { nowMs: systemClock.now(), redriven: false });
          await adapters.queue.remove(receiptHandle);
        }),
      );
    }
  };

  const consume = async (): Promise<void> => {
    const consumer = stack.use(startGrowingFunction("consumer", { bundles, env }));
    const client = createSqsClient({ endpoint: queue.endpoint });
    stack.defer(() => client.destroy());
    for (let applied = 0; !over.signal.aborted;) {
      for (const message of await receiveMessages({ client, queueUrl })) {
        const answer = await consumer.invoke(toSqsEvent(message), { remainingMs: BATCH_MS });
        if (!isDone({ body: JSON.stringify(answer) })) continue;
        await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }));
        const { events }: { readonly events: number } = JSON.parse(message.Body ?? "{}");
        applied += events;
        await look(consumer, applied, events);
      }
    }
  };

  await Promise.all([
    read(),
    ...(measured === "consumer" ? [consume()] : Array.from({ length: RECEIVERS }, forget)),
  ]).finally(() => over.abort());
  return samples;
}

/** Resolves with its address. It has some more events than are read. */
async function startRelay(stack: AsyncDisposableStack, events: number): Promise<string> {
  const relay = await forkChild({
    entry: new URL("./growing-relay-child.ts", import.meta.url),
    args: [String(Math.ceil((events * 1.5) / EVENTS_OF_A_COPY) + 100)],
    readyTimeoutMs: READY_TIMEOUT_MS,
  });
  stack.use(relay);
  return String(relay.ready);
}
