/**
 * The queue in memory, for simulations: SQS's delays, visibility, order, repeats and dead-letter queue on an injected
 * clock. It counts its calls as SQS would bill them. It loses nothing and delivers nothing late.
 */
import type { Batch } from "@firehose-backfill/core/batch";
import type { Clock } from "@firehose-backfill/core/clock";
import { NEEDED_MESSAGE_BYTES } from "@firehose-backfill/core/message-size";
import { MemoryStore, type Received, type StoredMessage } from "./memory-store.ts";
import {
  decodeMessage,
  encodeMessage,
  messageBytes,
  type ReceivedMessage,
} from "@firehose-backfill/queue/message-codec";
import { SendError } from "@firehose-backfill/queue/queue-error";
import type { BatchQueue, DecodedMessage, IncomingMessage, OutgoingBatch } from "@firehose-backfill/queue/types";

export interface MemoryQueueOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** SQS guarantees neither order; both happen. Default: `oldest-first`. */
  readonly order?: "oldest-first" | "random";
  /** The probability that a received message is delivered a second time, 0 to 1. Default: 0. */
  readonly repeatProbability?: number;
  readonly visibilitySeconds?: number;
  readonly maxReceiveCount?: number;
  /** Sends and receives real messages, encoded and decoded, instead of passing batches through. */
  readonly encode?: boolean;
  /** The current limit of the queue; a larger message is refused. Default: 1 MiB. */
  readonly maxMessageBytes?: () => number;
}

/** API calls, as SQS counts them: ten messages a call of `send`. */
export interface CallCounts {
  readonly send: number;
  readonly receive: number;
  readonly hide: number;
  readonly remove: number;
  readonly deadLetter: number;
}

export interface MemoryQueue extends BatchQueue {
  readonly calls: CallCounts;
  /** Puts anything into the queue, as another program or an older version would. */
  sendRaw(message: ReceivedMessage): void;
}

type Content = Batch | ReceivedMessage;

interface MemoryMessage extends IncomingMessage {
  readonly stored: Content;
}

const ENTRIES_PER_CALL = 10;

export function createMemoryQueue(options: MemoryQueueOptions): MemoryQueue {
  const { clock, random, order = "oldest-first", repeatProbability = 0 } = options;
  const { visibilitySeconds: defaultVisibility = 30, maxReceiveCount = 1000 } = options;
  const { maxMessageBytes = () => NEEDED_MESSAGE_BYTES } = options;
  const queue = new MemoryStore<Content>({ order, random });
  const dead = new MemoryStore<Content>({ order: "oldest-first", random });
  const calls = { send: 0, receive: 0, hide: 0, remove: 0, deadLetter: 0 };
  const waiting = new Set<AbortController>();
  let lastId = 0;

  /** Wakes sleeping polls, because a message may be there earlier than they expected. */
  const wakeAll = () => {
    for (const controller of waiting) controller.abort();
    waiting.clear();
  };

  const add = (store: MemoryStore<Content>, content: Content, delaySeconds: number) => {
    const sentAtMs = clock.now();
    store.add(
      { id: `message-${++lastId}`, content, sentAtMs, receiveCount: 0 },
      sentAtMs + delaySeconds * 1000,
      sentAtMs,
    );
  };

  const takeOne = (visibilitySeconds: number): MemoryMessage | null => {
    for (;;) {
      const nowMs = clock.now();
      const taken = queue.take(nowMs + visibilitySeconds * 1000, nowMs);
      if (taken === null) return null;
      if (taken.message.receiveCount > maxReceiveCount) {
        queue.remove(taken.receiptHandle);
        dead.add(taken.message, nowMs, nowMs);
        continue;
      }
      if (repeatProbability > 0 && random() < repeatProbability) queue.add(copyOf(taken.message), nowMs, nowMs);
      return toIncoming(taken);
    }
  };

  return {
    calls,

    async readLimits() {
      const declaredBytes = maxMessageBytes();
      return { declaredBytes, maxMessageBytes: Math.min(declaredBytes, NEEDED_MESSAGE_BYTES) };
    },

    async send(batches, { signal, onConfirmed } = {}) {
      let bytes = 0;
      signal?.throwIfAborted();
      for (let start = 0; start < batches.length; start += ENTRIES_PER_CALL) {
        calls.send += 1;
        for (const outgoing of batches.slice(start, start + ENTRIES_PER_CALL)) {
          const { content, size } = contentOf(outgoing, options.encode === true);
          if (size > maxMessageBytes()) throw refused(size, maxMessageBytes());
          add(queue, content, outgoing.delaySeconds);
          bytes += size;
        }
        wakeAll();
        await onConfirmed?.();
        signal?.throwIfAborted();
      }
      return bytes;
    },

    sendRaw(message) {
      add(queue, message, 0);
      wakeAll();
    },

    async receive({ max, waitSeconds, visibilitySeconds = defaultVisibility }) {
      calls.receive += 1;
      const endMs = clock.now() + waitSeconds * 1000;
      for (;;) {
        const messages: MemoryMessage[] = [];
        while (messages.length < max) {
          const message = takeOne(visibilitySeconds);
          if (message === null) break;
          messages.push(message);
        }
        const nowMs = clock.now();
        if (messages.length > 0 || nowMs >= endMs) return messages;
        const controller = new AbortController();
        waiting.add(controller);
        await clock.sleep(Math.min(endMs, queue.nextVisibleAtMs()) - nowMs, controller.signal);
        waiting.delete(controller);
      }
    },

    async hide(receiptHandle, seconds) {
      calls.hide += 1;
      const nowMs = clock.now();
      queue.hide(receiptHandle, nowMs + Math.ceil(seconds) * 1000, nowMs);
      wakeAll();
    },

    async remove(receiptHandle) {
      calls.remove += 1;
      queue.remove(receiptHandle);
    },

    async removeMany(receiptHandles) {
      calls.remove += 1;
      for (const handle of receiptHandles) queue.remove(handle);
    },

    async deadLetter(message) {
      if (!isMemoryMessage(message)) throw new TypeError(`message ${message.messageId} is not of this queue`);
      calls.deadLetter += 1;
      add(dead, message.stored, 0);
      queue.remove(message.receiptHandle);
    },

    async figures() {
      const nowMs = clock.now();
      const { oldestSentAtMs, ...figures } = queue.figures(nowMs);
      const oldestAgeSeconds = oldestSentAtMs === null ? null : Math.floor((nowMs - oldestSentAtMs) / 1000);
      return { ...figures, oldestAgeSeconds, deadLetters: dead.size };
    },

    async peekDeadLetters({ max }) {
      return dead.list(max).map((message) => toIncoming({ message, receiptHandle: `peek-${message.id}` }));
    },

    async redrive({ max, isWanted = () => true }) {
      const isAsked = (message: StoredMessage<Content>) => isWanted(toIncoming({ message, receiptHandle: message.id }));
      const all = dead.drain(dead.size);
      const messages = all.filter(isAsked).slice(0, max);
      for (const message of messages) add(queue, message.content, 0);
      const others = all.filter((message) => !messages.includes(message));
      for (const message of others) add(dead, message.content, 0);
      wakeAll();
      return { moved: messages.length, left: others.filter(isAsked).length };
    },

    [Symbol.asyncDispose]() {
      wakeAll();
      return Promise.resolve();
    },
  };
}

function contentOf({ batch }: OutgoingBatch, encode: boolean): { content: Content; size: number } {
  if (!encode) return { content: { ...batch, events: [...batch.events] }, size: batch.events.byteLength };
  const message = encodeMessage(batch);
  return { content: message, size: messageBytes(message) };
}

function refused(size: number, allowed: number): SendError {
  const because = `a message of ${size} bytes must be shorter than ${allowed} bytes`;
  return new SendError({ unconfirmed: 1, because, isRetryable: false });
}

function toIncoming({ message, receiptHandle }: Received<Content>): MemoryMessage {
  const { id: messageId, receiveCount, content: stored } = message;
  const content: DecodedMessage = "body" in stored ? decodeMessage(stored) : { kind: "batch", batch: stored };
  return { messageId, receiptHandle, receiveCount, content, stored };
}

/** A second copy of the same message: deleting one leaves the other. */
function copyOf(message: StoredMessage<Content>): StoredMessage<Content> {
  return { ...message };
}

function isMemoryMessage(message: IncomingMessage): message is MemoryMessage {
  return "stored" in message;
}
