/**
 * The queue between reader and consumer. Implemented on SQS (sqs-queue.ts) and in memory (memory-queue.ts) with
 * SQS's delay, visibility, random order and at-least-once delivery; one suite of tests holds for both.
 */
import type { Batch, LoggedBatch } from "@firehose-backfill/core/batch";

export interface OutgoingBatch {
  readonly batch: LoggedBatch;
  /** 0 to 900. */
  readonly delaySeconds: number;
}

/** A message as it arrived. It may come twice, late, or out of order. */
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
  /** Its version is known, and something in it is not: an event of a kind that a newer program knows. */
  | { readonly kind: "newer-kind"; readonly error: string }
  | { readonly kind: "malformed"; readonly error: string };

export interface QueueFigures {
  readonly ready: number;
  readonly inFlight: number;
  readonly delayed: number;
  /** null where the server does not say. */
  readonly oldestAgeSeconds: number | null;
  /** Everything in the dead-letter queue, in flight included. */
  readonly deadLetters: number;
}

/** What fits into one message; events are packed by it. */
export interface QueueLimits {
  /** What the smaller one of the two queues says that it takes, in bytes as its server counts them. */
  readonly declaredBytes: number;
  /** Encoded bytes of one message, counted as they are. Where the server counts more for them, less is allowed here. */
  readonly maxMessageBytes: number;
}

export interface SendBatchesOptions {
  readonly signal?: AbortSignal;
  /** Each time that another call, ten messages at most, is confirmed whole; what it throws ends the send. */
  readonly onConfirmed?: (() => void | Promise<void>) | undefined;
}

export interface MoveLimits {
  /** Messages. */
  readonly max: number;
  /** No message is begun later than that. */
  readonly withinMs: number;
}

export interface Moved {
  readonly moved: number;
  /** About how many stay, of those that were there when it began. SQS's counts are approximate. */
  readonly left: number;
}

export interface BatchQueue {
  /**
   * Asks both queues what they take now: a batch has to fit into both, because it may be dead-lettered. Never more than the program needs.
   * @throws QueueError
   */
  readLimits(): Promise<QueueLimits>;
  /**
   * Resolves with the encoded bytes once SQS has confirmed every entry; each `Failed` entry is sent again, and so is one
   * that the answer does not name. An error leaves open which of them were taken.
   * @throws SendError after the last try; the reason of `signal` when it is aborted
   */
  send(batches: readonly OutgoingBatch[], options?: SendBatchesOptions): Promise<number>;
  /** Long poll of at most `waitSeconds`; at most `max` messages (1 to 10). */
  receive(options: {
    max: number;
    waitSeconds: number;
    visibilitySeconds?: number;
  }): Promise<readonly IncomingMessage[]>;
  /** ChangeMessageVisibility, 0 to 43200 s. A message that is gone is not an error. */
  hide(receiptHandle: string, seconds: number): Promise<void>;
  remove(receiptHandle: string): Promise<void>;
  /** Copies the message to the dead-letter queue, then removes it. At least once. */
  deadLetter(message: IncomingMessage): Promise<void>;
  figures(): Promise<QueueFigures>;
  /** Looks into the dead-letter queue without removing anything (short visibility). */
  peekDeadLetters(options: { max: number }): Promise<readonly IncomingMessage[]>;
  /**
   * Moves messages from the dead-letter queue back, at least once. What fails leaves those that were moved, and may be done
   * again.
   * @throws QueueError, SendError
   */
  redrive(limits: MoveLimits): Promise<Moved>;
  [Symbol.asyncDispose](): Promise<void>;
}
