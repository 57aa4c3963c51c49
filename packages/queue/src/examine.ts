/** What a look at a queue tells: whether it keeps what this program relies on. Nothing is sent or received. */
import type { SQSClient } from "@aws-sdk/client-sqs";
import { QueueError } from "./queue-error.ts";
import { queueAttributes } from "./sqs-calls.ts";

export interface QueueFindings {
  readonly isFifo: boolean;
  readonly maxMessageBytes: number;
  readonly visibilitySeconds: number;
  readonly retentionSeconds: number;
  /** Receives after which the server itself dead-letters a message; null: it does not. */
  readonly maxReceiveCount: number | null;
}

/** @throws QueueError when it is not there, or may not be looked at */
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

/** A queue without a policy does not name it at all. */
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
