/**
 * What a consumer does when a batch cannot be applied now. While it waits (database down, production unwell, run paused) no
 * attempt is counted, and the message is hidden longer each time. A failed attempt counts; after the fifth the batch is
 * dead-lettered.
 */
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Batch, BatchCounts } from "@firehose-backfill/core/batch";
import { isRetryable } from "@firehose-backfill/core/errors";
import { countedEvents } from "@firehose-backfill/core/proved-range";
import { sourcesOf } from "@firehose-backfill/core/run-state";
import type { IncomingMessage } from "@firehose-backfill/queue/types";
import { riseAllowedBefore } from "@firehose-backfill/throttle/back-off";
import { waitSeconds } from "@firehose-backfill/throttle/slots";
import { type MessageResult, outcome } from "./message-result.ts";
import type { ConsumerDeps } from "./deps.ts";
import { paceOf } from "./pace.ts";

/** Times that applying a batch may fail before it is dead-lettered. */
export const MAX_ATTEMPTS = 5;
const RETRY_SECONDS = 2;

/** Hides the message for 30 s x 2^n. `run`: its reader plans nothing while this waits; null: the reader knows already. */
export async function waitFor(
  deps: ConsumerDeps,
  wait: { message: IncomingMessage; batch: Batch; run: Run | null; because: string; detail?: string },
): Promise<MessageResult> {
  const { store, clock, queue } = deps;
  const { run, because } = wait;
  if (run !== null && run.waiting?.for !== because)
    await store.setWaiting(run.paceId, { for: because, sinceMs: run.waiting?.sinceMs ?? clock.now() });
  const said = wait.detail ?? because;
  // A new holder of the same lock is worth a line. A newly measured value is not.
  const isOtherDetail = wait.detail !== undefined && deps.waitLog.lastSaid !== said;
  if (run !== null && (run.waiting?.for !== because || isOtherDetail)) {
    const kind = kindOfWait(because);
    await store.addError(run.runId, { atMs: clock.now(), source: "consumer", message: said, kind });
    const isOtherKind = run.waiting === null || kindOfWait(run.waiting.for) !== kind;
    if (isOtherKind || isOtherDetail) deps.log(`[BACKFILL] Waiting: ${said}`);
  }
  deps.waitLog.lastSaid = said;
  if (run !== null && because !== "database") {
    const nowMs = clock.now();
    const notAfterMs = riseAllowedBefore(nowMs, paceOf(run).effectiveDelayMs);
    await store.raiseBackOff(run.paceId, { reason: because, notAfterMs, nowMs });
  }
  const waits = await store.addWait(wait.batch.key);
  await queue.hide(wait.message.receiptHandle, waitSeconds(waits));
  return outcome("hidden", `waiting: ${because}`);
}

/** `throttle query: 3 > 0` is of the same kind as `throttle query: timed out`. */
export function kindOfWait(because: string): string {
  return `waiting: ${because.split(":", 1)[0] ?? because}`;
}

/** The schema, the permissions, the password or our own state is wrong: sets the run to errored, hides the message and logs why. */
export async function failTheRun(
  deps: ConsumerDeps,
  stop: { message: IncomingMessage; run: Run; because: string },
): Promise<MessageResult> {
  const { store, clock, queue } = deps;
  const patch = { reason: stop.because, pausedNow: true };
  if ((await store.transition(stop.run.runId, sourcesOf("errored"), "errored", patch)) !== null) {
    await store.addError(stop.run.runId, { atMs: clock.now(), source: "consumer", message: stop.because });
    deps.log(`[BACKFILL] Run ${stop.run.runId} stopped: ${stop.because}`);
  } else if (stop.run.finishedAtMs !== null) {
    await sayOfFinished(deps, stop);
  }
  await queue.hide(stop.message.receiptHandle, waitSeconds(1));
  return outcome("hidden", stop.because);
}

/** A redriven batch of a run that is over: nothing can stop that run any more, but somebody waits for the batch. */
async function sayOfFinished(
  deps: ConsumerDeps,
  { run, because }: { readonly run: Run; readonly because: string },
): Promise<void> {
  const message = `Run ${run.runId} is over, and a redriven batch of it cannot be applied; it is tried again: ${because}`;
  const kind = "redriven batch of a finished run";
  await deps.store.addError(run.runId, { atMs: deps.clock.now(), source: "consumer", message, kind });
  if (deps.waitLog.lastSaid !== message) deps.log(`[BACKFILL] ${message}`);
  deps.waitLog.lastSaid = message;
}

/** A failure that may pass: it is counted, and after the fifth the batch is dead-lettered. */
export async function retryLater(
  deps: ConsumerDeps,
  retry: { message: IncomingMessage; batch: Batch; run: Run; because: string },
): Promise<MessageResult> {
  const { message, batch } = retry;
  const isCounted = message.receiveCount > 1;
  const entry = isCounted ? await deps.store.getEntry(batch.key) : await deps.store.beginAttempt(batch.key);
  const attempts = entry?.attempts ?? 1;
  deps.log(`[BACKFILL] Batch ${batch.key.window}/${batch.key.number}, attempt ${attempts}: ${retry.because}`);
  await deps.store.addError(retry.run.runId, { atMs: deps.clock.now(), source: "consumer", message: retry.because });
  if (attempts >= MAX_ATTEMPTS) return deadLetterBatch(deps, message, batch, retry.because);
  await deps.queue.hide(message.receiptHandle, RETRY_SECONDS ** attempts);
  return outcome("hidden", retry.because);
}

/** Marks the batch as dead in the ledger, then moves it to the dead-letter queue, from where `redrive` brings it back. */
export async function deadLetterBatch(
  deps: ConsumerDeps,
  message: IncomingMessage,
  batch: Batch,
  because: string,
): Promise<MessageResult> {
  const counts = deadLettered(countedEvents(batch.events));
  await deps.store.finish(batch.key, "dead", counts, { nowMs: deps.clock.now(), redriven: false });
  await sendLetter(deps, message);
  deps.log(`[BACKFILL] Batch ${batch.key.window}/${batch.key.number} went to the dead-letter queue: ${because}`);
  return { ...outcome("dead-lettered", because), counts };
}

/** Told apart from every other failure of the queue: it is about one message. `cause`: what the queue said. */
export class DeadLetterError extends Error {
  override readonly name = "DeadLetterError";

  isRetryable(): boolean {
    return isRetryable(this.cause);
  }
}

/** @throws DeadLetterError */
export async function sendLetter(deps: Pick<ConsumerDeps, "queue">, message: IncomingMessage): Promise<void> {
  try {
    await deps.queue.deadLetter(message);
  } catch (cause) {
    throw new DeadLetterError("the dead-letter queue does not take a message", { cause });
  }
}

/** All of a batch that nobody could apply: its events are in the dead-letter queue, not in `dead_events`. */
export function deadLettered(events: number): BatchCounts {
  return { applied: 0, stale: 0, dead: events, deadReasons: { "dead-lettered": events } };
}
