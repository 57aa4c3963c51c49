/** The dead-letter queue: looking into it without taking anything out, and moving all of it back. */
import { DeleteMessageBatchCommand } from "@aws-sdk/client-sqs";
import type { Clock } from "@firehose-backfill/core/clock";
import { sendConfirmed } from "./send-confirmed.ts";
import { classified, queueAttributes, receiveMessages, type SqsTarget } from "./sqs-calls.ts";
import { rawBytes, type SqsIncomingMessage } from "./sqs-message.ts";
import type { Moved, MoveLimits } from "./types.ts";

/** Long enough for one look to be over; a message that is looked at cannot be moved back so long. */
const PEEK_SECONDS = 5;
const MOVE_VISIBILITY_SECONDS = 30;
/** The most that one receive gives. */
const MAX_RECEIVED = 10;

/** At most `max` messages, each once. They are visible again 5 s later. */
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
 * Moves at most `max` messages, and at most those that are there when it begins: one that dies again while the others
 * are moved would otherwise go round for ever. Sent first, deleted then: at least once.
 *
 * By receive, send and delete, which every server has. StartMessageMoveTask would have SQS do it, but it is not known
 * where it runs and how far it got, it is refused while another runs, and no stand-in has it to test it on.
 */
export async function moveBack(options: MoveOptions): Promise<Moved> {
  const { queue, dlq, clock } = options;
  const there = await deadLetterCount(dlq);
  const goal = Math.min(options.max, there);
  const beganMs = clock.now();
  let moved = 0;
  let lastMovedMs = beganMs;
  while (moved < goal && clock.now() - beganMs < options.withinMs) {
    const messages = await receiveMessages(dlq, {
      max: Math.min(MAX_RECEIVED, goal - moved),
      waitSeconds: 1,
      visibilitySeconds: MOVE_VISIBILITY_SECONDS,
    });
    if (messages.length === 0) {
      // A message that somebody has just looked at becomes visible again.
      if (clock.now() - lastMovedMs > (PEEK_SECONDS + 2) * 1000) break;
      continue;
    }
    await sendConfirmed(messages.map(toEntry), { ...options, client: queue.client, queueUrl: queue.queueUrl });
    await deleteAll(dlq, messages);
    moved += messages.length;
    lastMovedMs = clock.now();
  }
  return { moved, left: Math.max(0, there - moved) };
}

/** Everything that is in it, in flight included. */
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
  // A message that could not be deleted is moved again later; the ledger then shows that its batch is applied.
  await classified("DeleteMessageBatch", dlq.client.send(command));
}

function toEntry({ raw }: SqsIncomingMessage) {
  return { ...raw, delaySeconds: 0, bytes: rawBytes(raw) };
}
