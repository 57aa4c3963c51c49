/** Converts a message of SQS, from the SDK or from a Lambda event, to the consumer's IncomingMessage. */
import type { Message, MessageAttributeValue } from "@aws-sdk/client-sqs";
import { decodeMessage, PAYLOAD_ATTRIBUTE } from "./message-codec.ts";
import type { IncomingMessage } from "./types.ts";

/** The parts that were sent, so that a message can be copied to the dead-letter queue and back. */
export interface RawMessage {
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
}

export interface SqsIncomingMessage extends IncomingMessage {
  readonly raw: RawMessage;
}

/** The message's size as the queue counts it, if it counts binary attributes unencoded. */
export function rawBytes({ body, attributes }: RawMessage): number {
  return Object.entries(attributes).reduce(
    (bytes, [name, { DataType, StringValue, BinaryValue }]) =>
      bytes + Buffer.byteLength(name + (DataType ?? "") + (StringValue ?? "")) + (BinaryValue?.length ?? 0),
    Buffer.byteLength(body),
  );
}

/** The part of an SQSRecord that we read: the same message with Lambda's field names. */
export interface LambdaRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: { readonly ApproximateReceiveCount: string };
  readonly messageAttributes: Readonly<
    Record<
      string,
      {
        readonly dataType: string;
        readonly stringValue?: string | undefined;
        /** base64 */
        readonly binaryValue?: string | undefined;
      }
    >
  >;
}

export function fromSqsMessage(message: Message): SqsIncomingMessage {
  return incoming({
    messageId: message.MessageId ?? "",
    receiptHandle: message.ReceiptHandle ?? "",
    receiveCount: Number(message.Attributes?.ApproximateReceiveCount ?? 1),
    raw: { body: message.Body ?? "", attributes: message.MessageAttributes ?? {} },
  });
}

export function fromLambdaRecord(record: LambdaRecord): SqsIncomingMessage {
  const attributes = Object.entries(record.messageAttributes).map(([name, value]): [string, MessageAttributeValue] => [
    name,
    value.binaryValue === undefined
      ? { DataType: value.dataType, StringValue: value.stringValue }
      : { DataType: value.dataType, BinaryValue: Buffer.from(value.binaryValue, "base64") },
  ]);
  return incoming({
    messageId: record.messageId,
    receiptHandle: record.receiptHandle,
    receiveCount: Number(record.attributes.ApproximateReceiveCount),
    raw: { body: record.body, attributes: Object.fromEntries(attributes) },
  });
}

/** @throws TypeError for a message that another queue received */
export function rawOf(message: IncomingMessage): RawMessage {
  if (!isSqsMessage(message)) throw new TypeError(`message ${message.messageId} was not received from this queue`);
  return message.raw;
}

function isSqsMessage(message: IncomingMessage): message is SqsIncomingMessage {
  return "raw" in message;
}

function incoming(parts: Omit<SqsIncomingMessage, "content">): SqsIncomingMessage {
  const { body, attributes } = parts.raw;
  return { ...parts, content: decodeMessage({ body, payload: attributes[PAYLOAD_ATTRIBUTE]?.BinaryValue ?? null }) };
}
