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

export interface Services {
  readonly store: CheckpointStore;
  readonly items: SourceItems;
  readonly queue: BatchQueue;
}

export function openServices(
  { table, queueUrl, dlqUrl }: DeployedConfig,
  options: { readonly clock: Clock; readonly random: () => number },
): Services {
  const client = createDynamoClient({ endpoint: null });
  return {
    store: createDynamoStore({ client, table, hasTtl: true }),
    items: createDynamoItems({ client, table }),
    queue: createSqsQueue({
      client: createSqsClient({ endpoint: null }),
      queueUrl,
      dlqUrl,
      countsBase64: false,
      ...options,
    }),
  };
}
