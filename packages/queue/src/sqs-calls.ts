/** Single calls to one SQS queue; answers are checked and errors are classified. */
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type QueueAttributeName,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { NEEDED_MESSAGE_BYTES } from "@firehose-backfill/core/message-size";
import { QueueError } from "./queue-error.ts";
import { fromSqsMessage, type SqsIncomingMessage } from "./sqs-message.ts";

/** A queue, and a client that can reach it. */
export interface SqsTarget {
  readonly client: SQSClient;
  readonly queueUrl: string;
}

/** @throws QueueError instead of any error of the call */
export async function classified<Result>(operation: string, call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    throw new QueueError(operation, error);
  }
}

/** Cannot be aborted: an abandoned poll may still receive a message, which is then hidden for its visibility timeout. */
export async function receiveMessages(
  target: SqsTarget,
  options: { readonly max: number; readonly waitSeconds: number; readonly visibilitySeconds?: number | undefined },
): Promise<readonly SqsIncomingMessage[]> {
  const answer = await classified(
    "ReceiveMessage",
    target.client.send(
      new ReceiveMessageCommand({
        QueueUrl: target.queueUrl,
        MaxNumberOfMessages: options.max,
        WaitTimeSeconds: options.waitSeconds,
        VisibilityTimeout: options.visibilitySeconds,
        MessageAttributeNames: ["All"],
        MessageSystemAttributeNames: ["ApproximateReceiveCount"],
      }),
    ),
  );
  return (answer.Messages ?? []).map(fromSqsMessage);
}

export async function deleteMessage(target: SqsTarget, receiptHandle: string): Promise<void> {
  const command = new DeleteMessageCommand({ QueueUrl: target.queueUrl, ReceiptHandle: receiptHandle });
  await classified("DeleteMessage", target.client.send(command).catch(unlessGone));
}

/** At most ten. @throws QueueError if one of them is still there */
export async function deleteMessages(target: SqsTarget, receiptHandles: readonly string[]): Promise<void> {
  const command = new DeleteMessageBatchCommand({
    QueueUrl: target.queueUrl,
    Entries: receiptHandles.map((handle, index) => ({ Id: String(index), ReceiptHandle: handle })),
  });
  const { Failed: failed = [] } = await classified("DeleteMessageBatch", target.client.send(command));
  const left = failed.find(({ Code: code }) => code === undefined || !GONE.has(code));
  if (left !== undefined)
    throw new QueueError(
      "DeleteMessageBatch",
      new Error(`${left.Code}: ${left.Message ?? "a message is still there"}`),
    );
}

/** The longest that SQS hides a message. */
const MAX_HIDDEN_SECONDS = 43_200;

/** Whole seconds, rounded up; at most twelve hours. */
export async function changeVisibility(target: SqsTarget, receiptHandle: string, seconds: number): Promise<void> {
  const command = new ChangeMessageVisibilityCommand({
    QueueUrl: target.queueUrl,
    ReceiptHandle: receiptHandle,
    VisibilityTimeout: Math.min(Math.ceil(seconds), MAX_HIDDEN_SECONDS),
  });
  await classified("ChangeMessageVisibility", target.client.send(command).catch(unlessGone));
}

export async function queueAttributes<Name extends QueueAttributeName>(
  target: SqsTarget,
  names: readonly Name[],
): Promise<Readonly<Record<Name, string>>> {
  const command = new GetQueueAttributesCommand({ QueueUrl: target.queueUrl, AttributeNames: [...names] });
  const { Attributes: attributes } = await classified("GetQueueAttributes", target.client.send(command));
  if (!hasAll(attributes, names)) {
    throw new QueueError("GetQueueAttributes", new Error(`the answer lacks one of ${names.join(", ")}`));
  }
  return attributes;
}

/** If a server does not know the attribute, we assume the limit of SQS. */
export async function messageSizeOf(target: SqsTarget): Promise<number> {
  const command = new GetQueueAttributesCommand({ QueueUrl: target.queueUrl, AttributeNames: ["MaximumMessageSize"] });
  const { Attributes: attributes } = await classified("GetQueueAttributes", target.client.send(command));
  const size = Number(attributes?.MaximumMessageSize);
  return Number.isSafeInteger(size) && size > 0 ? size : NEEDED_MESSAGE_BYTES;
}

function hasAll<Name extends string>(
  attributes: Partial<Record<string, string>> | undefined,
  names: readonly Name[],
): attributes is Record<Name, string> {
  return attributes !== undefined && names.every((name) => attributes[name] !== undefined);
}

/**
 * The message was deleted, or its visibility timeout has passed and its receipt is invalid. Another consumer has it or will get it, so
 * this is not an error.
 */
const GONE: ReadonlySet<string> = new Set(["MessageNotInflight", "ReceiptHandleIsInvalid", "InvalidParameterValue"]);

function unlessGone(error: unknown): void {
  if (!(error instanceof Error && GONE.has(error.name))) throw error;
}
