/** The dead-letter queue: reads messages without removing them, and moves messages back. */
import { DeleteMessageBatchCommand } from "@aws-sdk/client-sqs";
import type { Clock } from "@firehose-backfill/core/clock";
import { sendConfirmed } from "./send-confirmed.ts";
import { classified, queueAttributes, receiveMessages, type SqsTarget } from "./sqs-calls.ts";
import { rawBytes, type SqsIncomingMessage } from "./sqs-message.ts";
import type { Moved, MoveLimits } from "./types.ts";

/** Long enough for one look at the queue; during this time its messages cannot be moved back. */
const PEEK_SECONDS = 5;
const MOVE_VISIBILITY_SECONDS = 30;
/** The most that one receive gives. */
const MAX_RECEIVED = 10;

/** Returns at most `max` messages, each once. They are visible again 5 s later. */
export async function peek(dlq: SqsTarget, options: { readonly max: number }): Promise<readonly SqsIncomingMessage[]> {
  const seen = new Map<string, SqsIncomingMessage>();
  while (seen.size < options.max) {
    const before = seen.size;
    // A long poll, because a short one asks only some of the servers and may find nothing although there are messages.
    const messages = await receiveMessages(dlq, {
      max: Math.min(MAX_RECEIVED, options.max - seen.size),
      waitSeconds: 1,
      visibilitySeconds: PEEK_SECONDS,
    });
    for (const message of messages) seen.set(message.messageId, message);
    if (seen.size === before) break;
  }
  return [...seen.values()];
}

export interface MoveOptions extends MoveLimits {
  readonly queue: SqsTarget;
  readonly dlq: SqsTarget;
  readonly maxCallBytes: number;
  readonly clock: Clock;
  readonly random: () => number;
}

/**
 * Moves at most `max` messages, and only as many as there are at the beginning: without this limit, a message that fails again meanwhile
 * would be moved again without end. Each is sent first and deleted afterwards: at least once.
 *
 * It uses receive, send and delete, which every server has. StartMessageMoveTask would let SQS do it, but it does not say how far
 * it got, it is refused while another task runs, and no stand-in has it for tests.
 */
export async function moveBack(options: MoveOptions): Promise<Moved> {
  const { queue, dlq, clock } = options;
  const there = await deadLetterCount(dlq);
  const { isWanted = () => true } = options;
  const beganMs = clock.now();
  let moved = 0;
  const passedOver = new Set<string>();
  let lastMovedMs = beganMs;
  const leftToSee = () => there - moved - passedOver.size;
  while (moved < options.max && leftToSee() > 0 && clock.now() - beganMs < options.withinMs) {
    const received = await receiveMessages(dlq, {
      max: Math.min(MAX_RECEIVED, options.max - moved, leftToSee()),
      waitSeconds: 1,
      visibilitySeconds: MOVE_VISIBILITY_SECONDS,
    });
    const messages = received.filter(isWanted);
    for (const message of received) if (!messages.includes(message)) passedOver.add(message.messageId);
    if (received.length === 0) {
      // Another process may have looked at a message just now; within this time it becomes visible again.
      if (clock.now() - lastMovedMs > (PEEK_SECONDS + 2) * 1000) break;
      continue;
    }
    if (messages.length > 0) {
      await sendConfirmed(messages.map(toEntry), { ...options, client: queue.client, queueUrl: queue.queueUrl });
      await deleteAll(dlq, messages);
    }
    moved += messages.length;
    lastMovedMs = clock.now();
  }
  return { moved, left: Math.max(0, leftToSee()) };
}

/** All its messages, those in flight included. */
export async function deadLetterCount(dlq: SqsTarget): Promise<number> {
  const attributes = await queueAttributes(dlq, [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
  ]);
  return Object.values(attributes).reduce((sum, count) => sum + Number(count), 0);
}

async function deleteAll(dlq: SqsTarget, messages: readonly SqsIncomingMessage[]): Promise<void> {
  const command = new DeleteMessageBatchCommand({
    QueueUrl: dlq.queueUrl,
    Entries: messages.map((message, index) => ({ Id: String(index), ReceiptHandle: message.receiptHandle })),
  });
  // If a message cannot be deleted, it is moved again later; the ledger then shows that its batch is applied.
  await classified("DeleteMessageBatch", dlq.client.send(command));
}

function toEntry({ raw }: SqsIncomingMessage) {
  return { ...raw, delaySeconds: 0, bytes: rawBytes(raw) };
}
