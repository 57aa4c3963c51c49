/**
 * The largest message that the queue accepts. Every tick that reads checks it, because somebody may have created the queue by hand or
 * changed it. An event that does not fit becomes a dead event, and the run reports it. A queue that accepts too
 * little, or refuses a size that it declared, fails the run, so that the operator notices.
 */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { describeError } from "@firehose-backfill/core/errors";
import { NEEDED_MESSAGE_BYTES } from "@firehose-backfill/core/message-size";
import { sourcesOf } from "@firehose-backfill/core/run-state";
import { LEAST_MESSAGE_BYTES } from "@firehose-backfill/queue/pack";
import { SendError } from "@firehose-backfill/queue/queue-error";
import type { QueueLimits } from "@firehose-backfill/queue/types";
import type { ReaderDeps } from "./deps.ts";

const KIND = "queue size";
const ADVICE = `set MaximumMessageSize=${NEEDED_MESSAGE_BYTES} on the queue and on its dead-letter queue`;

/** Called before a tick reads. Returns a text if the tick must not read. */
export async function queueLimits(deps: ReaderDeps, run: Run): Promise<QueueLimits | string> {
  const limits = await deps.queue.readLimits();
  if (limits.maxMessageBytes < LEAST_MESSAGE_BYTES)
    return stop(deps, run, `the queue takes only ${limits.declaredBytes} bytes a message: ${ADVICE}, then resume`);
  // Reported once, when the run begins. Later, each dead event reports it.
  if (limits.declaredBytes < NEEDED_MESSAGE_BYTES && run.readerCursor === null) await say(deps, run, limits);
  return limits;
}

/**
 * The queue has refused a window that was packed by `packedBy`. It may have accepted a part of it under keys with
 * this fence, so the window must not be packed differently before the next lease. Returns why this tick ends.
 * @throws `error`, if another try can help
 */
export async function queueRefused(deps: ReaderDeps, run: Run, packedBy: QueueLimits, error: unknown): Promise<string> {
  if (!(error instanceof SendError) || error.isRetryable()) throw error;
  const limits = await deps.queue.readLimits();
  if (limits.maxMessageBytes >= packedBy.maxMessageBytes)
    return stop(deps, run, `the queue refuses what is sent to it: ${describeError(error)}`);
  await say(deps, run, limits);
  return "the queue takes less than before";
}

async function say(deps: ReaderDeps, run: Run, { declaredBytes }: QueueLimits): Promise<void> {
  const message = `the queue takes ${declaredBytes} bytes a message: larger events are dead (too-large). To copy them, too, ${ADVICE}`;
  await deps.store.addError(run.runId, { atMs: deps.clock.now(), source: "reader", message, kind: KIND });
  deps.log(`[BACKFILL] ${message}`);
}

async function stop(deps: ReaderDeps, run: Run, reason: string): Promise<string> {
  await deps.store.transition(run.runId, sourcesOf("errored"), "errored", { reason });
  await deps.store.addError(run.runId, { atMs: deps.clock.now(), source: "reader", message: reason, kind: KIND });
  deps.log(`[BACKFILL] Run ${run.runId} stopped: ${reason}`);
  return reason;
}
