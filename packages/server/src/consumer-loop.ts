/**
 * The local event source mapping: pollers that take one message at a time and honour partial failures (a hidden message
 * stays in the queue). As many work at once as the run's max-concurrent and the connection pool allow, tunes included.
 */
import { applyMessage } from "@firehose-backfill/backfill/apply-message";
import type { MessageResult } from "@firehose-backfill/backfill/message-result";
import type { ConsumerDeps } from "@firehose-backfill/backfill/deps";
import { guardMemory } from "@firehose-backfill/backfill/guard-memory";
import type { Run } from "@firehose-backfill/checkpoint/run";
import { describeError } from "@firehose-backfill/core/errors";

/** Long polls are never aborted: an aborted one can swallow the next message. So they are short. */
const POLL_SECONDS = 1;
const REST_MS = 500;
const HAND_BACK_SECONDS = 1;
const AFTER_FAILURE_MS = 2_000;

export interface ConsumerLoop {
  /** Messages in hand now. */
  readonly active: () => number;
  /** Resolves when every poller has finished its batch and ended, which only `signal` makes them do. */
  readonly done: Promise<void>;
}

export function startConsumerLoop(
  deps: ConsumerDeps,
  options: {
    readonly signal: AbortSignal;
    /** Pollers that exist at all. */
    readonly pollers: number;
    /** Of them, those that may work now. */
    readonly limit: () => number;
    /** The run that a memory pause is noted in. */
    readonly currentRun: () => Run | null;
    readonly onResult: (result: MessageResult) => void;
  },
): ConsumerLoop {
  const { signal } = options;
  let active = 0;

  const takeOne = async () => {
    await guardMemory(deps, options.currentRun(), signal);
    if (signal.aborted) return;
    // Let through above its limit: a fresh process with a limit that is too low does one piece of work.
    const isLetThrough = deps.memory.isOverLimit();
    for (const message of await deps.queue.receive({ max: 1, waitSeconds: POLL_SECONDS })) {
      // Memory may have filled while this poller waited for a message: one batch above the limit, not one a poller.
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
