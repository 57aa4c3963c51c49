/**
 * The queue between reader and consumer, and its dead-letter queue. Standard, not FIFO, because the pace needs a delay for each
 * message, which FIFO queues do not have. SST's defaults (30 s of visibility, three receives) would
 * dead-letter a batch that only waits, and AWS's default (messages of 256 KiB) would refuse a large record.
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
  // SST's own `retain` covers tables and buckets, not queues: planned and dead batches must be kept, too.
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
