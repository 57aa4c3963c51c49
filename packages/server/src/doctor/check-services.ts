/** Checks queue and table if settings name them; embedded ones are created correctly. */
import { createDynamoClient } from "@firehose-backfill/checkpoint/dynamo-client";
import { examineTable, NEEDED_KEY } from "@firehose-backfill/checkpoint/examine";
import type { Settings } from "@firehose-backfill/core/config/settings";
import { describeError } from "@firehose-backfill/core/errors";
import { NEEDED_MESSAGE_BYTES } from "@firehose-backfill/core/message-size";
import { examineQueue, type QueueFindings } from "@firehose-backfill/queue/examine";
import { createSqsClient } from "@firehose-backfill/queue/sqs-client";
import { type Check, fail, ok, warn } from "./check.ts";

/** A message that waits for its slot is received several times, and each time counts. */
const FEW_RECEIVES = 100;
/** Applying a batch takes seconds at most. */
const SHORT_VISIBILITY_SECONDS = 30;
const SHORT_RETENTION_SECONDS = 86_400;
const ACCESS_ADVICE = "check its name, the region (AWS_REGION), the credentials and their rights";

export async function checkQueues({
  queueUrl,
  dlqUrl,
}: Pick<Settings, "queueUrl" | "dlqUrl">): Promise<readonly Check[]> {
  if (queueUrl === null && dlqUrl === null) return [ok("queue", "embedded")];
  if (queueUrl === null || dlqUrl === null)
    return [fail("queue", "only one of BACKFILL_QUEUE_URL and BACKFILL_DLQ_URL is set", "set both, or neither")];
  const client = createSqsClient({ endpoint: null });
  try {
    return [
      await lookAt("queue", async () => judgeQueue(await examineQueue({ client, queueUrl }))),
      await lookAt("dead letters", async () => judgeDeadLetters(await examineQueue({ client, queueUrl: dlqUrl }))),
    ];
  } finally {
    client.destroy();
  }
}

export async function checkTable({ table }: Pick<Settings, "table">): Promise<Check> {
  if (table === null) return ok("table", "embedded");
  const client = createDynamoClient({ endpoint: null });
  try {
    return await lookAt("table", async () => {
      const { status, key } = await examineTable(client, table);
      if (key !== NEEDED_KEY)
        return fail("table", `its key is ${key}`, `create a table with the key ${NEEDED_KEY}, as the deploy does`);
      if (status !== "ACTIVE" && status !== "UPDATING")
        return fail("table", `it is ${status}`, "wait until it is ACTIVE");
      return ok("table", `${table}, ${status}`);
    });
  } finally {
    client.destroy();
  }
}

async function lookAt(name: string, look: () => Promise<Check>): Promise<Check> {
  try {
    return await look();
  } catch (error) {
    return fail(name, describeError(error), ACCESS_ADVICE);
  }
}

function judgeQueue(found: QueueFindings): Check {
  const { maxMessageBytes, visibilitySeconds, retentionSeconds, maxReceiveCount } = found;
  if (found.isFifo)
    return fail("queue", "a FIFO queue", "create a standard queue: a FIFO queue cannot delay single messages");
  if (maxMessageBytes < NEEDED_MESSAGE_BYTES)
    return fail(
      "queue",
      `takes messages of ${maxMessageBytes} bytes`,
      `set MaximumMessageSize=${NEEDED_MESSAGE_BYTES}`,
    );
  if (maxReceiveCount !== null && maxReceiveCount < FEW_RECEIVES)
    return fail(
      "queue",
      `dead-letters a message after ${maxReceiveCount} receives`,
      "set maxReceiveCount=1000: a batch that waits for its slot is received several times, and the consumer counts the real attempts",
    );
  const facts = `${maxMessageBytes} bytes a message, hidden for ${visibilitySeconds} s, kept for ${retentionSeconds} s`;
  if (visibilitySeconds < SHORT_VISIBILITY_SECONDS)
    return warn("queue", facts, "set VisibilityTimeout=180: otherwise a slow batch is delivered twice");
  return retentionSeconds < SHORT_RETENTION_SECONDS
    ? warn(
        "queue",
        facts,
        "set MessageRetentionPeriod=345600 (four days): the messages of a paused run stay in the queue",
      )
    : ok("queue", facts);
}

function judgeDeadLetters({ isFifo, maxMessageBytes, retentionSeconds }: QueueFindings): Check {
  if (isFifo) return fail("dead letters", "a FIFO queue", "create a standard queue, like the queue itself");
  if (maxMessageBytes < NEEDED_MESSAGE_BYTES)
    return fail(
      "dead letters",
      `takes messages of ${maxMessageBytes} bytes`,
      `set MaximumMessageSize=${NEEDED_MESSAGE_BYTES}`,
    );
  const facts = `kept for ${retentionSeconds} s`;
  return retentionSeconds < 7 * SHORT_RETENTION_SECONDS
    ? warn(
        "dead letters",
        facts,
        "set MessageRetentionPeriod=1209600 (14 days): somebody must have time to notice and redrive",
      )
    : ok("dead letters", facts);
}
