/**
 * The queue between reader and consumer. It is implemented on SQS (sqs-queue.ts) and in memory (memory-queue.ts), both with
 * delay, visibility, random order and at-least-once delivery; one suite of tests runs on both.
 */
import type { Batch, LoggedBatch } from "@firehose-backfill/core/batch";

export interface OutgoingBatch {
  readonly batch: LoggedBatch;
  /** 0 to 900. */
  readonly delaySeconds: number;
}

/** A received message. It may arrive twice, late, or out of order. */
export interface IncomingMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly receiveCount: number;
  /** The decoded batch, or why it cannot be decoded (`newer-version`, `newer-kind`: hide it; `malformed`: dead-letter it). */
  readonly content: DecodedMessage;
}

export type DecodedMessage =
  | { readonly kind: "batch"; readonly batch: Batch }
  | { readonly kind: "newer-version"; readonly version: number }
  /** Its version is known, but it contains a kind of event that only a newer program knows. */
  | { readonly kind: "newer-kind"; readonly error: string }
  | { readonly kind: "malformed"; readonly error: string };

export interface QueueFigures {
  readonly ready: number;
  readonly inFlight: number;
  readonly delayed: number;
  /** null if the server does not report it. */
  readonly oldestAgeSeconds: number | null;
  /** All messages in the dead-letter queue, those in flight included. */
  readonly deadLetters: number;
}

/** How much fits into one message; events are packed by it. */
export interface QueueLimits {
  /** The smaller limit of the two queues, in bytes as the server counts them. */
  readonly declaredBytes: number;
  /** Encoded bytes of one message, before any base64. If the server counts more for them, this limit is lower. */
  readonly maxMessageBytes: number;
}

export interface SendBatchesOptions {
  readonly signal?: AbortSignal;
  /** Called after each confirmed call of at most ten messages; an error that it throws ends the send. */
  readonly onConfirmed?: (() => void | Promise<void>) | undefined;
}

export interface MoveLimits {
  /** Messages. */
  readonly max: number;
  /** After this time, no further message is moved. */
  readonly withinMs: number;
  /** Left out: every message is moved. The others stay, and cannot be received for half a minute. */
  readonly isWanted?: (message: IncomingMessage) => boolean;
}

export interface Moved {
  readonly moved: number;
  /** About how many of the messages that were there at the beginning, and that are wanted as far as is known, remain. SQS's counts are approximate. */
  readonly left: number;
}

export interface BatchQueue {
  /**
   * Asks both queues for their current limits: a batch has to fit into both, because it may be dead-lettered. Never more than the program needs.
   * @throws QueueError
   */
  readLimits(): Promise<QueueLimits>;
  /**
   * Resolves with the encoded bytes once SQS has confirmed every entry; an entry that the answer lists as `Failed`, or not at all, is
   * sent again. After an error, it is unknown which entries were accepted.
   * @throws SendError after the last try; the reason of `signal` when it is aborted
   */
  send(batches: readonly OutgoingBatch[], options?: SendBatchesOptions): Promise<number>;
  /** A long poll of at most `waitSeconds`; returns at most `max` messages (1 to 10). */
  receive(options: {
    max: number;
    waitSeconds: number;
    visibilitySeconds?: number;
  }): Promise<readonly IncomingMessage[]>;
  /** ChangeMessageVisibility, 0 to 43200 s. A message that is gone is not an error. */
  hide(receiptHandle: string, seconds: number): Promise<void>;
  /** A message that is gone is not an error. */
  remove(receiptHandle: string): Promise<void>;
  /** The same with one request, 1 to 10 different ones. @throws QueueError if one of them is still there; the others are removed */
  removeMany(receiptHandles: readonly string[]): Promise<void>;
  /** Copies the message to the dead-letter queue, then removes it. At least once. */
  deadLetter(message: IncomingMessage): Promise<void>;
  figures(): Promise<QueueFigures>;
  /** Reads from the dead-letter queue without removing anything (short visibility). */
  peekDeadLetters(options: { max: number }): Promise<readonly IncomingMessage[]>;
  /**
   * Moves messages from the dead-letter queue back, at least once. After an error, some messages may have been moved; the call can
   * be repeated.
   * @throws QueueError, SendError
   */
  redrive(limits: MoveLimits): Promise<Moved>;
  [Symbol.asyncDispose](): Promise<void>;
}
