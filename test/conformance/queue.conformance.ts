/** The queue over any server of SQS: what the program relies on, and no more. */
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { systemClock } from "@firehose-backfill/core/clock";
import { PAYLOAD_ATTRIBUTE } from "@firehose-backfill/queue/message-codec";
import { createSqsClient } from "@firehose-backfill/queue/sqs-client";
import { createSqsQueue } from "@firehose-backfill/queue/sqs-queue";
import { describeQueue } from "@firehose-backfill/testing/queue/queue-suite";
import { afterAll, describe } from "vitest";
import { endpointOf, newName } from "./endpoint.ts";
import { patientQueue } from "./patient-queue.ts";

const LARGEST_MESSAGE_BYTES = String(1024 * 1024);

const endpoint = endpointOf("CONFORMANCE_SQS");

describe.skipIf(endpoint === null)(
  `a server of SQS${endpoint === null ? " (skipped: --sqs was not given)" : ""}`,
  () => {
    const isAws = endpoint?.isAws === true;
    const open = () => createSqsClient({ endpoint: endpoint !== null && !isAws ? endpoint.url : null });
    const made: string[] = [];

    const create = async (QueueName: string, more: Record<string, string>): Promise<string> => {
      const client = open();
      const Attributes = { MaximumMessageSize: LARGEST_MESSAGE_BYTES, VisibilityTimeout: "20", ...more };
      const { QueueUrl: url = "" } = await client.send(new CreateQueueCommand({ QueueName, Attributes }));
      made.push(url);
      client.destroy();
      return url;
    };

    afterAll(async () => {
      const client = open();
      for (const QueueUrl of made) await client.send(new DeleteQueueCommand({ QueueUrl }));
      client.destroy();
    });

    describeQueue(`on ${endpoint?.url ?? "no server"}`, async ({ maxReceiveCount = 1000 }) => {
      const client = open();
      const name = newName();
      const dlqUrl = await create(`${name}-dead`, {});
      const { Attributes: dead } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl: dlqUrl, AttributeNames: ["QueueArn"] }),
      );
      const redrive = { deadLetterTargetArn: dead?.QueueArn, maxReceiveCount };
      const queueUrl = await create(name, { RedrivePolicy: JSON.stringify(redrive) });
      const options = { client, queueUrl, dlqUrl, clock: systemClock, random: Math.random };
      // A stand-in may count a binary attribute by the length of its base64; messages are then packed smaller.
      const queue = createSqsQueue({ ...options, countsBase64: !isAws });
      return {
        queue: isAws ? patientQueue(queue) : queue,
        areFiguresLate: isAws,
        clock: systemClock,
        async sendRaw({ body, payload }) {
          const attributes =
            payload === null ? {} : { [PAYLOAD_ATTRIBUTE]: { DataType: "Binary", BinaryValue: payload } };
          await client.send(
            new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body, MessageAttributes: attributes }),
          );
        },
        [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
      };
    });
  },
);
