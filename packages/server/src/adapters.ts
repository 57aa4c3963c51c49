/** The adapters of every process, local or in Lambda, made from addresses: the embedded ones or the real services. */
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
  /** null: the SDK decides (AWS_ENDPOINT_URL_SQS, or AWS itself); it is not the stand-in. */
  readonly queueEndpoint: string | null;
  readonly table: string;
  readonly tableEndpoint: string | null;
  readonly databaseUrl: string;
}

/** The adapters that a consumer needs. */
export interface ConsumerAdapters extends AsyncDisposable {
  readonly store: CheckpointStore;
  readonly queue: BatchQueue;
}

export interface Adapters extends ConsumerAdapters {
  readonly items: SourceItems;
}

export interface AdapterOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** The limits of the clients. Left out: those for a process that is not ended after a fixed time. */
  readonly limits?: { readonly table: CallLimits; readonly queue: CallLimits };
  /** The table removes expired items by itself. Default: false. */
  readonly hasTtl?: boolean;
}

interface CallLimits {
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

export function openAdapters(
  addresses: Omit<Addresses, "databaseUrl">,
  { limits, hasTtl = false, ...options }: AdapterOptions,
): Adapters {
  const isStandIn = addresses.queueEndpoint !== null;
  const limitsOf = (which: "table" | "queue") => (limits === undefined ? {} : { limits: limits[which] });
  const table = createDynamoClient({ endpoint: addresses.tableEndpoint, ...limitsOf("table") });
  const queue = createSqsQueue({
    client: createSqsClient({ endpoint: addresses.queueEndpoint, ...limitsOf("queue") }),
    queueUrl: addresses.queueUrl,
    dlqUrl: addresses.dlqUrl,
    countsBase64: isStandIn,
    ...options,
  });
  return {
    store: createDynamoStore({ client: table, table: addresses.table, hasTtl }),
    items: createDynamoItems({ client: table, table: addresses.table }),
    queue,
    async [Symbol.asyncDispose]() {
      table.destroy();
      await queue[Symbol.asyncDispose]();
    },
  };
}
