import { CreateQueueCommand, SendMessageCommand, SetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { EventLog } from "@firehose-backfill/core/cbor/event-log";
import { systemClock } from "@firehose-backfill/core/clock";
import { type QueueServer, startQueueServer } from "@firehose-backfill/embedded/queue-server";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRetryable } from "@firehose-backfill/core/errors";
import { PAYLOAD_ATTRIBUTE } from "./message-codec.ts";
import { describeQueue } from "@firehose-backfill/testing/queue/queue-suite";
import { packBatches } from "./pack.ts";
import { createSqsClient } from "./sqs-client.ts";
import { createSqsQueue } from "./sqs-queue.ts";
import { batchOf, logged, noise, recordEvent } from "@firehose-backfill/testing/queue/batches";
import { intercept, isSendBatch } from "@firehose-backfill/testing/queue/intercept";

let server: QueueServer;
let dataDir: string;
let queues = 0;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "queue-"));
  server = await startQueueServer({ dataDir });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true });
});

/** Two queues of their own on the one server. */
async function createQueues(client: SQSClient, maxReceiveCount: number, sizes: { work?: number; dead?: number } = {}) {
  const name = `test-${++queues}`;
  const urlOf = (queue: string) => `${server.endpoint}/000000000000/${queue}`;
  const sizeOf = (bytes?: number) => (bytes === undefined ? {} : { MaximumMessageSize: String(bytes) });
  await client.send(new CreateQueueCommand({ QueueName: `${name}-dead`, Attributes: sizeOf(sizes.dead) }));
  const RedrivePolicy = JSON.stringify({
    deadLetterTargetArn: `arn:aws:sqs:us-east-1:000000000000:${name}-dead`,
    maxReceiveCount,
  });
  await client.send(
    new CreateQueueCommand({
      QueueName: name,
      Attributes: { VisibilityTimeout: "20", RedrivePolicy, ...sizeOf(sizes.work) },
    }),
  );
  return { queueUrl: urlOf(name), dlqUrl: urlOf(`${name}-dead`) };
}

async function open(options: { maxReceiveCount?: number } = {}) {
  const client = createSqsClient({ endpoint: server.endpoint });
  const urls = await createQueues(client, options.maxReceiveCount ?? 1000);
  const queue = createSqsQueue({
    client,
    ...urls,
    countsBase64: true,
    startMove: false,
    clock: systemClock,
    random: () => 0.5,
  });
  return { client, urls, queue };
}

describeQueue("on SQS's stand-in", async (options) => {
  const { client, urls, queue } = await open(options);
  return {
    queue,
    clock: systemClock,
    async sendRaw({ body, payload }) {
      const attributes = payload === null ? {} : { [PAYLOAD_ATTRIBUTE]: { DataType: "Binary", BinaryValue: payload } };
      await client.send(
        new SendMessageCommand({ QueueUrl: urls.queueUrl, MessageBody: body, MessageAttributes: attributes }),
      );
    },
    [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
  };
});

const outgoing = Array.from({ length: 40 }, (_, number) => ({
  batch: logged(batchOf([recordEvent(number)], { number })),
  delaySeconds: 0,
}));

test.each(["Failed", "missing"] as const)("every message arrives once although entries come back %s", async (how) => {
  const { client, queue } = await open();
  await using _ = queue;
  let withheld = 0;
  intercept(client, async (call, next) => {
    if (!isSendBatch(call)) return next(call.input);
    const { Entries = [], QueueUrl } = call.input;
    // The server never sees one in three.
    const lost = Entries.filter((_entry, index) => index % 3 === 1);
    withheld += lost.length;
    const output = await next({ QueueUrl, Entries: Entries.filter((entry) => !lost.includes(entry)) });
    if (how === "missing") return output;
    return { ...output, Failed: lost.map(({ Id }) => ({ Id, Code: "InternalError", SenderFault: false })) };
  });
  await queue.send(outgoing);
  expect(withheld).toBeGreaterThan(10);
  const numbers: number[] = [];
  while (numbers.length < 40) {
    const messages = await queue.receive({ max: 10, waitSeconds: 1 });
    if (messages.length === 0) break;
    for (const { content } of messages) numbers.push(content.kind === "batch" ? content.batch.key.number : -1);
  }
  expect(numbers.sort((left, right) => left - right)).toEqual(outgoing.map(({ batch }) => batch.key.number));
  expect(await queue.receive({ max: 1, waitSeconds: 0 })).toEqual([]);
});

test("has SQS move dead letters where it can, and names the destination", async () => {
  const { client, urls } = await open();
  const moves: unknown[] = [];
  intercept(client, async (call, next) => {
    if (call.name !== "StartMessageMoveTaskCommand") return next(call.input);
    moves.push(call.input);
    return {};
  });
  const options = { client, ...urls, countsBase64: false, clock: systemClock, random: Math.random };
  await using queue = createSqsQueue({ ...options, startMove: true });
  expect(await queue.redrive({ max: 10 })).toBe(null);
  const arn = (url: string) => `arn:aws:sqs:us-east-1:000000000000:${url.split("/").at(-1)}`;
  expect(moves).toEqual([{ SourceArn: arn(urls.dlqUrl), DestinationArn: arn(urls.queueUrl) }]);
  expect((await queue.readLimits()).maxMessageBytes).toBe(1024 * 1024);
});

describe("issue 12.5: what a queue takes", () => {
  const KIB = 1024;
  const openSized = async (sizes: { work?: number; dead?: number }, countsBase64 = true) => {
    const client = createSqsClient({ endpoint: server.endpoint });
    const urls = await createQueues(client, 1000, sizes);
    const options = { client, ...urls, countsBase64, startMove: false, clock: systemClock, random: () => 0.5 };
    return { client, urls, queue: createSqsQueue(options) };
  };

  test.each([
    [{ work: 256 * KIB }, 256 * KIB],
    [{ dead: 256 * KIB }, 256 * KIB],
    [{ work: 128 * KIB, dead: 256 * KIB }, 128 * KIB],
    [{}, 1024 * KIB],
  ])("%o: the smaller one of the two decides", async (sizes, declaredBytes) => {
    const { queue } = await openSized(sizes, false);
    await using _ = queue;
    expect(await queue.readLimits()).toEqual({ declaredBytes, maxMessageBytes: declaredBytes });
  });

  test("lowered while the program runs, it is packed to at the next look", async () => {
    const { client, urls, queue } = await openSized({}, false);
    await using _ = queue;
    expect((await queue.readLimits()).maxMessageBytes).toBe(1024 * KIB);
    const Attributes = { MaximumMessageSize: String(64 * KIB) };
    await client.send(new SetQueueAttributesCommand({ QueueUrl: urls.dlqUrl, Attributes }));
    expect((await queue.readLimits()).maxMessageBytes).toBe(64 * KIB);
  });

  test("on queues of 256 KiB a record of 300 KiB is dead as too-large, and every batch fits, into the dead-letter queue too", async () => {
    const { queue } = await openSized({ work: 256 * KIB, dead: 256 * KIB });
    await using _ = queue;
    const large = recordEvent(3, { record: noise(300 * KIB) });
    const events = [1, 2, 3, 4, 5].map((seq) =>
      seq === 3 ? large : recordEvent(seq, { record: noise(90 * KIB, seq) }),
    );
    const limits = await queue.readLimits();
    const packed = packBatches(EventLog.of(events), { batchSize: 5, limits });
    const key = { runId: "run", epoch: 1, window: 1, fence: 1 };
    await queue.send(
      packed.map((slice, number) => ({
        batch: { key: { ...key, number }, dueMs: 0, paceEpoch: 1, events: slice },
        delaySeconds: 0,
      })),
    );
    const seen: string[] = [];
    for (let got = await queue.receive({ max: 10, waitSeconds: 1 }); got.length > 0;) {
      for (const message of got) {
        if (message.content.kind !== "batch") throw new Error(message.content.kind);
        for (const event of message.content.batch.events)
          seen.push(event.kind === "dead" ? `${event.seq} ${event.reason} ${event.error}` : String(event.seq));
        await queue.deadLetter(message);
      }
      got = await queue.receive({ max: 10, waitSeconds: 1 });
    }
    const because = expect.stringMatching(/^3 too-large .* more than one message of the queue holds \(\d+\)$/);
    expect(seen.sort()).toEqual(["1", "2", because, "4", "5"]);
    expect((await queue.figures()).deadLetters).toBe(packed.length);
  });
});

describe("errors say whether waiting helps", () => {
  const failureOf = async (queue: { figures(): Promise<unknown> }) => {
    try {
      await queue.figures();
    } catch (error) {
      return { name: error instanceof Error ? error.name : null, isRetryable: isRetryable(error) };
    }
    throw new Error("it did not fail");
  };

  test("a server that is not there", async () => {
    const client = createSqsClient({ endpoint: "http://127.0.0.1:9" });
    const url = "http://127.0.0.1:9/000000000000/none";
    const options = { client, queueUrl: url, dlqUrl: url, countsBase64: true, startMove: false };
    await using queue = createSqsQueue({ ...options, clock: systemClock, random: Math.random });
    expect(await failureOf(queue)).toEqual({ name: "QueueError", isRetryable: true });
  });

  test("a queue that is not there", async () => {
    const client = createSqsClient({ endpoint: server.endpoint });
    const url = `${server.endpoint}/000000000000/none`;
    const options = { client, queueUrl: url, dlqUrl: url, countsBase64: true, startMove: false };
    await using queue = createSqsQueue({ ...options, clock: systemClock, random: Math.random });
    expect(await failureOf(queue)).toEqual({ name: "QueueError", isRetryable: false });
  });
});
