import type { SQSRecord } from "aws-lambda";
import { expect, test } from "vitest";
import { encodeMessage, messageBytes } from "./message-codec.ts";
import { fromLambdaRecord, fromSqsMessage, rawBytes, rawOf } from "./sqs-message.ts";
import { batchOf, logged, mixedEvents } from "@firehose-backfill/testing/queue/batches";

const batch = batchOf(mixedEvents(7));
const { body, payload } = encodeMessage(logged(batch));

test("Lambda's spelling and the SDK's are the same message", () => {
  const record: SQSRecord = {
    messageId: "m1",
    receiptHandle: "r1",
    body,
    attributes: {
      ApproximateReceiveCount: "3",
      SentTimestamp: "1",
      SenderId: "s",
      ApproximateFirstReceiveTimestamp: "2",
    },
    messageAttributes: {
      batch: {
        dataType: "Binary",
        binaryValue: Buffer.from(payload).toString("base64"),
        stringListValues: [],
        binaryListValues: [],
      },
      note: { dataType: "String", stringValue: "hello" },
    },
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:q",
    awsRegion: "us-east-1",
  };
  const fromLambda = fromLambdaRecord(record);
  expect(fromLambda).toMatchObject({
    messageId: "m1",
    receiptHandle: "r1",
    receiveCount: 3,
    content: { kind: "batch", batch },
  });
  const fromSdk = fromSqsMessage({
    MessageId: "m1",
    ReceiptHandle: "r1",
    Body: body,
    Attributes: { ApproximateReceiveCount: "3" },
    MessageAttributes: {
      batch: { DataType: "Binary", BinaryValue: Buffer.from(payload) },
      note: { DataType: "String", StringValue: "hello" },
    },
  });
  expect(fromLambda).toEqual(fromSdk);
});

test("a message without the attribute is malformed, and can still be sent on", () => {
  const message = fromSqsMessage({ MessageId: "m1", ReceiptHandle: "r1", Body: "hello" });
  expect(message.content.kind).toBe("malformed");
  expect(rawOf(message)).toEqual({ body: "hello", attributes: {} });
});

test("its size counts every attribute", () => {
  const batchAttribute = { DataType: "Binary", BinaryValue: payload };
  const raw = { body, attributes: { batch: batchAttribute } };
  expect(rawBytes(raw)).toBe(messageBytes({ body, payload }));
  const noted = { body, attributes: { batch: batchAttribute, note: { DataType: "String", StringValue: "é" } } };
  expect(rawBytes(noted)).toBe(rawBytes(raw) + "noteString".length + 2);
});

test("a message of another queue is a mistake", () => {
  const stranger = {
    messageId: "m1",
    receiptHandle: "r1",
    receiveCount: 1,
    content: { kind: "batch", batch },
  } as const;
  expect(() => rawOf(stranger)).toThrow(TypeError);
});
