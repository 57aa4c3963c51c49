/**
 * The local event source mapping: pollers that take one message at a time and support partial failures (a hidden message
 * stays in the queue). As many work at once as the run's current max-concurrent and the connection pool allow.
 */
import { applyMessage } from "@firehose-backfill/backfill/apply-message";
import type { MessageResult } from "@firehose-backfill/backfill/message-result";
import type { ConsumerDeps } from "@firehose-backfill/backfill/deps";
import { guardMemory } from "@firehose-backfill/backfill/guard-memory";
import type { Run } from "@firehose-backfill/checkpoint/run";
import { describeError } from "@firehose-backfill/core/errors";

/** Long polls are never aborted, because an aborted one can still receive a message. So they are short. */
const POLL_SECONDS = 1;
const REST_MS = 500;
const HAND_BACK_SECONDS = 1;
const AFTER_FAILURE_MS = 2_000;

export interface ConsumerLoop {
  /** Messages that are being processed now. */
  readonly active: () => number;
  /** Resolves when every poller has finished its batch and ended, which only happens after `signal` aborts. */
  readonly done: Promise<void>;
}

export function startConsumerLoop(
  deps: ConsumerDeps,
  options: {
    readonly signal: AbortSignal;
    /** All pollers. */
    readonly pollers: number;
    /** The number of them that may work now. */
    readonly limit: () => number;
    /** The run in which a memory pause is recorded. */
    readonly currentRun: () => Run | null;
    readonly onResult: (result: MessageResult) => void;
  },
): ConsumerLoop {
  const { signal } = options;
  let active = 0;

  const takeOne = async () => {
    await guardMemory(deps, options.currentRun(), signal);
    if (signal.aborted) return;
    // Allowed above the limit: a new process with a limit that is too low still does one piece of work.
    const isLetThrough = deps.memory.isOverLimit();
    for (const message of await deps.queue.receive({ max: 1, waitSeconds: POLL_SECONDS })) {
      // Memory may have grown while this poller waited for a message: one batch above the limit is allowed, not one for each poller.
      if (!isLetThrough && deps.memory.isOverLimit()) {
        await deps.queue.hide(message.receiptHandle, HAND_BACK_SECONDS);
        continue;
      }
      active += 1;
      try {
        options.onResult(await applyMessage(deps, message, { signal }));
      } finally {
        active -= 1;
      }
    }
  };

  const poll = async (index: number) => {
    while (!signal.aborted) {
      if (index >= options.limit()) {
        await deps.clock.sleep(REST_MS, signal);
        continue;
      }
      try {
        await takeOne();
      } catch (error) {
        deps.log(`[BACKFILL] Consumer: ${describeError(error)}`);
        await deps.clock.sleep(AFTER_FAILURE_MS, signal);
      }
    }
  };

  const pollers = Array.from({ length: options.pollers }, (_, index) => poll(index));
  return { active: () => active, done: Promise.all(pollers).then(() => undefined) };
}
