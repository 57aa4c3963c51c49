/**
 * The SQS event source mapping: pollers that take one message each, invoke the function, and delete what it did not
 * report as failed. What Lambda does with an answer is in AWS's guide to partial responses: no list, or an empty one, is
 * success of all; anything that is not understood is failure of all.
 */
import { DeleteMessageCommand, type Message, ReceiveMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { SQSEvent, SQSMessageAttributes } from "aws-lambda";
import type { Invocation, LocalFunction } from "./local-function.ts";

export interface MappingOptions {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly function: LocalFunction;
  readonly maximumConcurrency: number;
}

/** Short, and never aborted: the stand-in loses a message to an aborted poll for its whole visibility time-out. */
const POLL_SECONDS = 1;
const AFTER_THROTTLE_MS = 100;

/** Disposing it lets the pollers finish what they hold. */
export function startMapping(options: MappingOptions): AsyncDisposable {
  const over = new AbortController();
  const poll = async () => {
    while (!over.signal.aborted) {
      for (const message of await receiveMessages(options)) await handle(options, message);
    }
  };
  const pollers = Promise.all(Array.from({ length: options.maximumConcurrency }, poll));
  // Told when it is disposed of, not as an unhandled rejection before.
  pollers.catch(() => undefined);
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await pollers;
    },
  };
}

/** One message, or none within a second. */
export async function receiveMessages({
  client,
  queueUrl,
}: Pick<MappingOptions, "client" | "queueUrl">): Promise<readonly Message[]> {
  const { Messages } = await client.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: 1,
      WaitTimeSeconds: POLL_SECONDS,
      MessageAttributeNames: ["All"],
      MessageSystemAttributeNames: ["All"],
    }),
  );
  return Messages ?? [];
}

async function handle(options: MappingOptions, message: Message): Promise<void> {
  const { client, queueUrl } = options;
  const invocation = await options.function.invoke(toSqsEvent(message));
  if (invocation.outcome === "throttled") await new Promise((resolve) => setTimeout(resolve, AFTER_THROTTLE_MS));
  if (!isDone(invocation)) return;
  await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }));
}

/** Of one message: any list that is not empty either names it or is not understood. */
export function isDone({ body }: Pick<Invocation, "body">): boolean {
  if (body === null) return false;
  const payload: unknown = JSON.parse(body);
  if (typeof payload !== "object" || payload === null || !("batchItemFailures" in payload)) return true;
  const failures: unknown = payload.batchItemFailures;
  return failures === null || (Array.isArray(failures) && failures.length === 0);
}

export function toSqsEvent(message: Message): SQSEvent {
  const messageAttributes: SQSMessageAttributes = {};
  for (const [name, { DataType, StringValue, BinaryValue }] of Object.entries(message.MessageAttributes ?? {})) {
    messageAttributes[name] = {
      dataType: DataType ?? "String",
      stringListValues: [],
      binaryListValues: [],
      ...(StringValue === undefined ? {} : { stringValue: StringValue }),
      ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString("base64") }),
    };
  }
  const system = message.Attributes ?? {};
  return {
    Records: [
      {
        messageId: message.MessageId ?? "",
        receiptHandle: message.ReceiptHandle ?? "",
        body: message.Body ?? "",
        attributes: {
          ApproximateReceiveCount: system.ApproximateReceiveCount ?? "1",
          SentTimestamp: system.SentTimestamp ?? "0",
          SenderId: system.SenderId ?? "",
          ApproximateFirstReceiveTimestamp: system.ApproximateFirstReceiveTimestamp ?? "0",
        },
        messageAttributes,
        md5OfBody: message.MD5OfBody ?? "",
        eventSource: "aws:sqs",
        eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:batches",
        awsRegion: "us-east-1",
      },
    ],
  };
}
