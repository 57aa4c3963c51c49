/** The clients of an environment: the table and the queues. Where they are, and with which rights, is the deploy's business. */
import { createDynamoClient } from "@firehose-backfill/checkpoint/dynamo-client";
import { createDynamoStore } from "@firehose-backfill/checkpoint/dynamo-store";
import { createDynamoItems } from "@firehose-backfill/checkpoint/source-items";
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";
import type { Clock } from "@firehose-backfill/core/clock";
import { createSqsClient } from "@firehose-backfill/queue/sqs-client";
import { createSqsQueue } from "@firehose-backfill/queue/sqs-queue";
import type { BatchQueue } from "@firehose-backfill/queue/types";
import type { SourceItems } from "@firehose-backfill/source/items";
import type { DeployedConfig } from "./deployed-config.ts";

/**
 * A frozen environment is not told that its sockets are gone, and the first call on each of them gets no answer. The SDK
 * then tries twice more. Two such sockets of the table, one of the database (7 s, sink-postgres/connection.ts) and one of the
 * queue together are given up in 17 s; a network that answers nothing at all, in 24 s. The consumer has 30 s.
 */
const TABLE_LIMITS = { connectTimeoutMs: 2_000, requestTimeoutMs: 2_500 };
/** Above the second for which a redrive and a look into the dead-letter queue wait. */
const QUEUE_LIMITS = { connectTimeoutMs: 2_000, requestTimeoutMs: 5_000 };

export interface Services {
  readonly store: CheckpointStore;
  readonly items: SourceItems;
  readonly queue: BatchQueue;
}

export function openServices(
  { table, queueUrl, dlqUrl }: DeployedConfig,
  options: { readonly clock: Clock; readonly random: () => number },
): Services {
  const client = createDynamoClient({ endpoint: null, limits: TABLE_LIMITS });
  return {
    store: createDynamoStore({ client, table, hasTtl: true }),
    items: createDynamoItems({ client, table }),
    queue: createSqsQueue({
      client: createSqsClient({ endpoint: null, limits: QUEUE_LIMITS }),
      queueUrl,
      dlqUrl,
      countsBase64: false,
      ...options,
    }),
  };
}
