/** Reads a queue's attributes and reports whether it fits this program. Nothing is sent or received. */
import type { SQSClient } from "@aws-sdk/client-sqs";
import { QueueError } from "./queue-error.ts";
import { queueAttributes } from "./sqs-calls.ts";

export interface QueueFindings {
  readonly isFifo: boolean;
  readonly maxMessageBytes: number;
  readonly visibilitySeconds: number;
  readonly retentionSeconds: number;
  /** The number of receives after which the server itself dead-letters a message; null: it does not. */
  readonly maxReceiveCount: number | null;
}

/** @throws QueueError if the queue does not exist or we may not read it */
export async function examineQueue(options: {
  readonly client: SQSClient;
  readonly queueUrl: string;
}): Promise<QueueFindings> {
  const {
    MaximumMessageSize: size,
    VisibilityTimeout: visibility,
    MessageRetentionPeriod: retention,
  } = await queueAttributes(options, ["MaximumMessageSize", "VisibilityTimeout", "MessageRetentionPeriod"]);
  return {
    isFifo: options.queueUrl.endsWith(".fifo"),
    maxMessageBytes: Number(size),
    visibilitySeconds: Number(visibility),
    retentionSeconds: Number(retention),
    maxReceiveCount: await receiveLimit(options),
  };
}

/** A queue without a redrive policy does not return the attribute. */
async function receiveLimit(options: {
  readonly client: SQSClient;
  readonly queueUrl: string;
}): Promise<number | null> {
  try {
    const { RedrivePolicy: policy } = await queueAttributes(options, ["RedrivePolicy"]);
    const parsed: unknown = JSON.parse(policy);
    if (typeof parsed !== "object" || parsed === null || !("maxReceiveCount" in parsed)) return null;
    return Number(parsed.maxReceiveCount);
  } catch (error) {
    if (error instanceof QueueError || error instanceof SyntaxError) return null;
    throw error;
  }
}
