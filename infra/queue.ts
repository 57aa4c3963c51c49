/**
 * The queue between reader and consumer, and the dead-letter queue behind it. Standard, not FIFO: a message's own delay
 * is what makes the pace, and FIFO queues have none. SST's defaults (30 s of visibility, three receives) would
 * dead-letter a batch that merely waits, and AWS's own (messages of 256 KiB) would refuse a large record.
 */
import {
  DLQ_RETENTION_SECONDS,
  MAX_MESSAGE_BYTES,
  MAX_RECEIVE_COUNT,
  QUEUE_RETENTION_SECONDS,
  VISIBILITY_TIMEOUT_SECONDS,
} from "./limits.ts";

export interface Queues {
  readonly work: sst.aws.Queue;
  readonly deadLetters: sst.aws.Queue;
}

export function createQueues(options: { isProduction: boolean }): Queues {
  // SST's own `retain` knows tables and buckets, not queues: batches that are planned or dead are kept here too.
  const keep = { retainOnDelete: options.isProduction };

  const deadLetters = new sst.aws.Queue(
    "DeadLetters",
    { transform: { queue: { messageRetentionSeconds: DLQ_RETENTION_SECONDS, maxMessageSize: MAX_MESSAGE_BYTES } } },
    keep,
  );
  const work = new sst.aws.Queue(
    "Batches",
    {
      visibilityTimeout: `${VISIBILITY_TIMEOUT_SECONDS} seconds`,
      dlq: { queue: deadLetters.arn, retry: MAX_RECEIVE_COUNT },
      transform: { queue: { messageRetentionSeconds: QUEUE_RETENTION_SECONDS, maxMessageSize: MAX_MESSAGE_BYTES } },
    },
    keep,
  );
  new aws.sqs.RedriveAllowPolicy("DeadLettersRedriveAllowPolicy", {
    queueUrl: deadLetters.url,
    redriveAllowPolicy: $jsonStringify({ redrivePermission: "byQueue", sourceQueueArns: [work.arn] }),
  });
  return { work, deadLetters };
}
