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
import { QueueError } from "./queue-error.ts";
import { createSqsClient } from "./sqs-client.ts";
import { createSqsQueue } from "./sqs-queue.ts";
import type { IncomingMessage } from "./types.ts";
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

/** Creates two separate queues on the shared server. */
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

test.each([
  ["InternalError", "DeleteMessageBatch: InternalError: try again"],
  ["ReceiptHandleIsInvalid", "removed"],
])("issue 19.3: of two messages that are removed, one fails with %s", async (code, expected) => {
  const { client, queue } = await open();
  await using _ = queue;
  intercept(client, async () => ({ Failed: [{ Id: "1", Code: code, Message: "try again", SenderFault: false }] }));
  const answer = await queue.removeMany(["a", "b"]).then(
    () => "removed",
    (error: unknown) => (error instanceof QueueError ? error.message : error),
  );
  expect(answer).toBe(expected);
});

test.each(["Failed", "missing"] as const)("every message arrives once although entries come back %s", async (how) => {
  const { client, queue } = await open();
  await using _ = queue;
  let withheld = 0;
  intercept(client, async (call, next) => {
    if (!isSendBatch(call)) return next(call.input);
    const { Entries = [], QueueUrl } = call.input;
    // One entry in three does not reach the server.
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

describe("issue 18.1: dead letters come back by receive, send and delete, on whatever server", () => {
  const SECOND = 1_000;
  /** Forty dead letters, and a clock that a receive moves by ten seconds. */
  const openDead = async () => {
    const { urls, queue } = await open();
    await queue[Symbol.asyncDispose]();
    const own = createSqsClient({ endpoint: server.endpoint });
    const time = { nowMs: 0 };
    const called: string[] = [];
    const clock = { ...systemClock, now: () => time.nowMs };
    const dead = createSqsQueue({
      client: own,
      ...urls,
      queueUrl: urls.dlqUrl,
      countsBase64: true,
      clock,
      random: () => 0.5,
    });
    await dead.send(outgoing);
    intercept(own, async (call, next) => {
      called.push(call.name);
      if (call.name === "ReceiveMessageCommand") time.nowMs += 10 * SECOND;
      return next(call.input);
    });
    const redriven = createSqsQueue({ client: own, ...urls, countsBase64: true, clock, random: () => 0.5 });
    return { queue: redriven, called };
  };

  test("all of them, without StartMessageMoveTask", async () => {
    const { queue, called } = await openDead();
    await using _ = queue;
    expect(await queue.redrive({ max: 1_000, withinMs: 600 * SECOND })).toEqual({ moved: 40, left: 0 });
    expect(new Set(called)).toEqual(
      new Set([
        "GetQueueAttributesCommand",
        "ReceiveMessageCommand",
        "SendMessageBatchCommand",
        "DeleteMessageBatchCommand",
      ]),
    );
    expect(await queue.figures()).toMatchObject({ ready: 40, deadLetters: 0 });
  });

  test("as many as there is time for, and the others the next time", async () => {
    const { queue } = await openDead();
    await using _ = queue;
    expect(await queue.redrive({ max: 1_000, withinMs: 25 * SECOND })).toEqual({ moved: 30, left: 10 });
    expect(await queue.figures()).toMatchObject({ ready: 30, deadLetters: 10 });
    expect(await queue.redrive({ max: 1_000, withinMs: 25 * SECOND })).toEqual({ moved: 10, left: 0 });
  });

  test("issue 14.1: only those that are wanted; the others stay, and are not counted as left", async () => {
    const { queue } = await openDead();
    await using _ = queue;
    const isWanted = ({ content }: IncomingMessage) => content.kind === "batch" && content.batch.key.number % 4 === 0;
    expect(await queue.redrive({ max: 1_000, withinMs: 600 * SECOND, isWanted })).toEqual({ moved: 10, left: 0 });
    expect(await queue.figures()).toMatchObject({ ready: 10, deadLetters: 30 });
  });

  test("two at once move each of them once", async () => {
    const { queue } = await openDead();
    await using _ = queue;
    const limits = { max: 1_000, withinMs: 600 * SECOND };
    const both = await Promise.all([queue.redrive(limits), queue.redrive(limits)]);
    expect(both.reduce((sum, { moved }) => sum + moved, 0)).toBe(40);
    expect(await queue.figures()).toMatchObject({ ready: 40, deadLetters: 0 });
  });
});

describe("issue 12.5: what a queue takes", () => {
  const KIB = 1024;
  const openSized = async (sizes: { work?: number; dead?: number }, countsBase64 = true) => {
    const client = createSqsClient({ endpoint: server.endpoint });
    const urls = await createQueues(client, 1000, sizes);
    const options = { client, ...urls, countsBase64, clock: systemClock, random: () => 0.5 };
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
    const key = { runId: "run", generation: 1, window: 1, fence: 1 };
    await queue.send(
      packed.map((slice, number) => ({
        batch: { key: { ...key, number }, dueMs: 0, paceVersion: 1, events: slice },
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
    const options = { client, queueUrl: url, dlqUrl: url, countsBase64: true };
    await using queue = createSqsQueue({ ...options, clock: systemClock, random: Math.random });
    expect(await failureOf(queue)).toEqual({ name: "QueueError", isRetryable: true });
  });

  test("a queue that is not there", async () => {
    const client = createSqsClient({ endpoint: server.endpoint });
    const url = `${server.endpoint}/000000000000/none`;
    const options = { client, queueUrl: url, dlqUrl: url, countsBase64: true };
    await using queue = createSqsQueue({ ...options, clock: systemClock, random: Math.random });
    expect(await failureOf(queue)).toEqual({ name: "QueueError", isRetryable: false });
  });
});
