/**
 * Times and sizes that depend on each other. They are plain numbers, so that the proof in test/infra and the handlers
 * use the same ones.
 */
import { NEEDED_MESSAGE_BYTES } from "../packages/core/src/message-size.ts";

/** The period of the schedule. The read-ahead is two periods. */
export const TICK_SECONDS = 60;

/** A tick reads for at most one period; the rest is for sending, storing the cursor and releasing the lease. */
export const READER_TIMEOUT_SECONDS = 120;

/** A consumer applies one batch: usually milliseconds, but longer if the database has to wake up. */
export const CONSUMER_TIMEOUT_SECONDS = 30;

/** `start` finds a position on the relay and migrates the schema; `plan` reads a little of the stream. */
export const CONTROL_TIMEOUT_SECONDS = 60;

export const STATUS_TIMEOUT_SECONDS = 20;

/** AWS requires at least six times the function's timeout, so that a throttled batch does not come back while it is applied. */
export const VISIBILITY_TIMEOUT_SECONDS = 6 * CONSUMER_TIMEOUT_SECONDS;

/**
 * The most that SQS allows. A batch that waits for its slot is hidden, and each time it comes back counts as a receive.
 * The consumer counts real attempts and dead-letters at the fifth, so this limit is only a last resort.
 */
export const MAX_RECEIVE_COUNT = 1000;

/** For both queues: a failed batch goes unchanged to the dead-letter queue, and a redrive brings it back. */
export const MAX_MESSAGE_BYTES = NEEDED_MESSAGE_BYTES;

export const QUEUE_RETENTION_SECONDS = 4 * 86_400;

/** Longer than that of the work queue, because a message keeps its age when it is moved. */
export const DLQ_RETENTION_SECONDS = 14 * 86_400;

/** A tick that Lambda could not begin within its period is dropped, because the next one is due. It is also the minimum. */
export const MAX_EVENT_AGE_SECONDS = 60;

/** The minimum of the event source mapping. */
const SMALLEST_MAXIMUM_CONCURRENCY = 2;

/** How many batches the mapping offers at once. If only one is allowed, the reservation and the database's lock enforce it. */
export function mappingConcurrency(maxConcurrent: number): number {
  return Math.max(SMALLEST_MAXIMUM_CONCURRENCY, maxConcurrent);
}
