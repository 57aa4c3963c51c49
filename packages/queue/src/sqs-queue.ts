/** The queue on SQS, or on a server with the same protocol. */
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Clock } from "@firehose-backfill/core/clock";
import { NEEDED_MESSAGE_BYTES } from "@firehose-backfill/core/message-size";
import { deadLetterCount, moveBack, peek } from "./dead-letters.ts";
import { encodeMessage, messageBytes, PAYLOAD_ATTRIBUTE, PAYLOAD_TYPE } from "./message-codec.ts";
import { type Entry, sendConfirmed } from "./send-confirmed.ts";
import {
  changeVisibility,
  classified,
  deleteMessage,
  deleteMessages,
  messageSizeOf,
  queueAttributes,
  receiveMessages,
} from "./sqs-calls.ts";
import { rawOf } from "./sqs-message.ts";
import type { BatchQueue, OutgoingBatch } from "./types.ts";

export interface SqsQueueOptions {
  /** The queue owns it from here on; disposing the queue closes it. */
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly dlqUrl: string;
  /** The server counts binary attributes by the length of their base64, as fauxqs does; SQS counts their bytes. */
  readonly countsBase64: boolean;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Base64 rounds each of the ten payloads of a call up to a multiple of four. */
const ROUNDING_BYTES = 64;

/** @throws QueueError from every method; SendError from `send` */
export function createSqsQueue(options: SqsQueueOptions): BatchQueue {
  const { client, clock, random } = options;
  const queue = { client, queueUrl: options.queueUrl };
  const dlq = { client, queueUrl: options.dlqUrl };
  /** All sizes are in unencoded bytes; if the server counts base64, fewer of them fit. */
  const asTheyAre = (countedBytes: number) =>
    options.countsBase64 ? Math.floor((countedBytes / 4) * 3) - ROUNDING_BYTES : countedBytes;
  // The limit for all entries of a call is always the one of SQS, whatever the limit for a single message is.
  const maxCallBytes = asTheyAre(NEEDED_MESSAGE_BYTES);

  return {
    async readLimits() {
      const declared = await Promise.all([queue, dlq].map(messageSizeOf));
      const declaredBytes = Math.min(...declared);
      return { declaredBytes, maxMessageBytes: asTheyAre(Math.min(declaredBytes, NEEDED_MESSAGE_BYTES)) };
    },

    send: (batches, how = {}) => sendConfirmed(encodeAll(batches), { ...queue, maxCallBytes, clock, random, ...how }),

    receive: (wanted) => receiveMessages(queue, wanted),

    hide: (receiptHandle, seconds) => changeVisibility(queue, receiptHandle, seconds),

    remove: (receiptHandle) => deleteMessage(queue, receiptHandle),

    removeMany: (receiptHandles) => deleteMessages(queue, receiptHandles),

    async deadLetter(message) {
      const { body, attributes } = rawOf(message);
      const command = new SendMessageCommand({
        QueueUrl: dlq.queueUrl,
        MessageBody: body,
        MessageAttributes: attributes,
      });
      await classified("SendMessage", client.send(command));
      await deleteMessage(queue, message.receiptHandle);
    },

    async figures() {
      const [attributes, deadLetters] = await Promise.all([
        queueAttributes(queue, [
          "ApproximateNumberOfMessages",
          "ApproximateNumberOfMessagesNotVisible",
          "ApproximateNumberOfMessagesDelayed",
        ]),
        deadLetterCount(dlq),
      ]);
      return {
        ready: Number(attributes.ApproximateNumberOfMessages),
        inFlight: Number(attributes.ApproximateNumberOfMessagesNotVisible),
        delayed: Number(attributes.ApproximateNumberOfMessagesDelayed),
        // A metric of CloudWatch; no call of SQS returns it.
        oldestAgeSeconds: null,
        deadLetters,
      };
    },

    peekDeadLetters: (wanted) => peek(dlq, wanted),

    redrive: (limits) => moveBack({ ...limits, queue, dlq, maxCallBytes, clock, random }),

    [Symbol.asyncDispose]() {
      client.destroy();
      return Promise.resolve();
    },
  };
}

/** Encodes each batch just before it is sent, so that a window is in memory once as events and not again as messages. */
function* encodeAll(batches: readonly OutgoingBatch[]): Generator<Entry> {
  for (const { batch, delaySeconds } of batches) {
    const message = encodeMessage(batch);
    yield {
      body: message.body,
      attributes: { [PAYLOAD_ATTRIBUTE]: { DataType: PAYLOAD_TYPE, BinaryValue: message.payload } },
      delaySeconds,
      bytes: messageBytes(message),
    };
  }
}
