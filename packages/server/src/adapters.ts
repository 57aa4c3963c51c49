/** The adapters that every process of a local run needs, made from addresses: the embedded ones or the real services. */
import { createDynamoStore } from "@firehose-backfill/checkpoint/dynamo-store";
import { createDynamoClient } from "@firehose-backfill/checkpoint/dynamo-client";
import { createDynamoItems } from "@firehose-backfill/checkpoint/source-items";
import type { CheckpointStore } from "@firehose-backfill/checkpoint/store";
import type { Clock } from "@firehose-backfill/core/clock";
import type { SourceItems } from "@firehose-backfill/source/items";
import { createSqsClient } from "@firehose-backfill/queue/sqs-client";
import { createSqsQueue } from "@firehose-backfill/queue/sqs-queue";
import type { BatchQueue } from "@firehose-backfill/queue/types";

/** Where the services are; plain data, so that it can be handed to a child process. */
export interface Addresses {
  readonly queueUrl: string;
  readonly dlqUrl: string;
  /** null: the SDK finds it (AWS_ENDPOINT_URL_SQS, or AWS itself), and it is not the stand-in. */
  readonly queueEndpoint: string | null;
  readonly table: string;
  readonly tableEndpoint: string | null;
  readonly databaseUrl: string;
}

/** What a consumer needs of them. */
export interface ConsumerAdapters extends AsyncDisposable {
  readonly store: CheckpointStore;
  readonly queue: BatchQueue;
}

export interface Adapters extends ConsumerAdapters {
  readonly items: SourceItems;
}

export function openAdapters(
  addresses: Addresses,
  options: { readonly clock: Clock; readonly random: () => number },
): Adapters {
  const isStandIn = addresses.queueEndpoint !== null;
  const table = createDynamoClient({ endpoint: addresses.tableEndpoint });
  const queue = createSqsQueue({
    client: createSqsClient({ endpoint: addresses.queueEndpoint }),
    queueUrl: addresses.queueUrl,
    dlqUrl: addresses.dlqUrl,
    countsBase64: isStandIn,
    ...options,
  });
  return {
    store: createDynamoStore({ client: table, table: addresses.table }),
    items: createDynamoItems({ client: table, table: addresses.table }),
    queue,
    async [Symbol.asyncDispose]() {
      table.destroy();
      await queue[Symbol.asyncDispose]();
    },
  };
}
