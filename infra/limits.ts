/**
 * Times and sizes that belong together: what one of them says, another relies on. Pure numbers, so that the proof in
 * test/infra and the handlers' authors read the same ones.
 */
import { NEEDED_MESSAGE_BYTES } from "../packages/core/src/message-size.ts";

/** The schedule's period. The read-ahead is two of them. */
export const TICK_SECONDS = 60;

/** A tick reads for at most a period; what is left is for its sends, its cursor and its release. */
export const READER_TIMEOUT_SECONDS = 120;

/** A consumer applies one batch: milliseconds as a rule, a database that wakes up at worst. */
export const CONSUMER_TIMEOUT_SECONDS = 30;

/** `start` finds a position on the relay and migrates the schema; `plan` reads a little of the stream. */
export const CONTROL_TIMEOUT_SECONDS = 60;

export const STATUS_TIMEOUT_SECONDS = 20;

/** AWS asks for at least six times the function's timeout, so that a throttled batch does not come back while it is applied. */
export const VISIBILITY_TIMEOUT_SECONDS = 6 * CONSUMER_TIMEOUT_SECONDS;

/**
 * The most SQS allows. A batch that waits for its slot is hidden, and every return of it counts as a receive;
 * real attempts are counted by the consumer, which dead-letters at the fifth. This is the last net only.
 */
export const MAX_RECEIVE_COUNT = 1000;

/** Both queues: a batch that dies goes as it is to the dead-letter queue, and a redrive brings it back. */
export const MAX_MESSAGE_BYTES = NEEDED_MESSAGE_BYTES;

export const QUEUE_RETENTION_SECONDS = 4 * 86_400;

/** Longer than the queue's own: a message keeps its age when it is moved. */
export const DLQ_RETENTION_SECONDS = 14 * 86_400;

/** A tick that Lambda could not begin within its period is not worth beginning: the next one is there. The minimum, too. */
export const MAX_EVENT_AGE_SECONDS = 60;

/** The event source mapping does not take less. */
const SMALLEST_MAXIMUM_CONCURRENCY = 2;

/** How many batches the mapping offers at once. With one allowed, the reservation and the database's lock decide. */
export function mappingConcurrency(maxConcurrent: number): number {
  return Math.max(SMALLEST_MAXIMUM_CONCURRENCY, maxConcurrent);
}
