/**
 * The consumer's order, for one message: is the batch still wanted, is it on time, is production well; then verify and
 * decode, lock, apply, and note the outcome in the ledger. It never throws because of one bad event, and it never applies
 * a batch that has no slot.
 */
import { NewerItemError } from "@firehose-backfill/checkpoint/errors";
import type { Pace } from "@firehose-backfill/checkpoint/pace";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { Batch, BatchCounts } from "@firehose-backfill/core/batch";
import { describeError, isRetryable } from "@firehose-backfill/core/errors";
import { countedEvents, groupEvents } from "@firehose-backfill/core/proved-range";
import type { IncomingMessage } from "@firehose-backfill/queue/types";
import type { SinkRow } from "@firehose-backfill/sink/rows";
import { yieldToEventLoop } from "@firehose-backfill/throttle/idle";
import { hideSeconds, intervalMs, judge, type Slot } from "@firehose-backfill/throttle/slots";
import { applyRows } from "./apply-rows.ts";
import type { ConsumerDeps } from "./deps.ts";
import { guardMemory } from "./guard-memory.ts";
import { keepHidden } from "./keep-hidden.ts";
import { dispositionOf } from "./disposition.ts";
import { type MessageResult, outcome } from "./message-result.ts";
import { paceOf } from "./pace.ts";
import { DeadLetterError, MAX_ATTEMPTS, sendLetter, deadLetterBatch, waitFor } from "./failure.ts";
import { planRemovals, removalsNow } from "./pace-removals.ts";
import { noteInversions } from "./request-resyncs.ts";
import { decideSlot, takeNewSlot } from "./slot-decision.ts";
import { rangeRows, toRow } from "./to-rows.ts";

/** Seconds that a message of a newer program, or one whose run is, is left for a newer consumer. */
const NEWER_VERSION_SECONDS = 300;

export async function applyMessage(
  deps: ConsumerDeps,
  message: IncomingMessage,
  options: { readonly signal: AbortSignal },
): Promise<MessageResult> {
  const { content } = message;
  switch (content.kind) {
    case "newer-version":
      await deps.queue.hide(message.receiptHandle, NEWER_VERSION_SECONDS);
      return outcome("hidden", `message of version ${content.version}, newer than this consumer`);
    case "newer-kind":
      await deps.queue.hide(message.receiptHandle, NEWER_VERSION_SECONDS);
      return outcome("hidden", `message that only a newer consumer reads: ${content.error}`);
    case "malformed":
      return deadLetterStranger(deps, message, content.error);
    case "batch":
      return applyOrWait(deps, message, content.batch, options.signal);
    default: {
      const unreachable: never = content;
      return unreachable;
    }
  }
}

async function deadLetterStranger(deps: ConsumerDeps, message: IncomingMessage, error: string): Promise<MessageResult> {
  try {
    await deps.queue.deadLetter(message);
  } catch (failure) {
    return keepLetter(deps, message, null, failure);
  }
  deps.log(`[BACKFILL] A message that this program did not write was moved to the dead-letter queue: ${error}`);
  return outcome("dead-lettered", error);
}

async function applyOrWait(
  deps: ConsumerDeps,
  message: IncomingMessage,
  batch: Batch,
  signal: AbortSignal,
): Promise<MessageResult> {
  await using _ = keepHidden(deps, message.receiptHandle);
  try {
    const untilMs = deps.clock.now() + STAY_MS;
    const again = { ...message, receiveCount: message.receiveCount + 1 };
    let isReturned = false;
    for (;;) {
      const result = await applyBatch(deps, isReturned ? again : message, batch, signal);
      if (result.kind !== "goes-on") return result;
      // A queue hands a message out a limited number of times, so its next slots are waited for here while they are near.
      isReturned = true;
      if (result.dueMs <= untilMs) await deps.clock.sleep(Math.max(0, result.dueMs - deps.clock.now()), signal);
      if (result.dueMs > untilMs || signal.aborted) {
        const seconds = hideSeconds(result.dueMs, deps.clock.now());
        await deps.queue.hide(message.receiptHandle, seconds);
        return outcome("hidden", "rows that its ranges prove absent take slots of their own");
      }
    }
  } catch (error) {
    if (error instanceof DeadLetterError) return await keepLetter(deps, message, batch.key.runId, error.cause);
    // The table or the queue cannot be reached, so the slot is not known. The message is hidden, and no attempt is counted.
    deps.log(`[BACKFILL] Consumer: ${describeError(error)}`);
    const seconds = error instanceof NewerItemError ? NEWER_VERSION_SECONDS : UNREACHABLE_SECONDS;
    await deps.queue.hide(message.receiptHandle, seconds).catch(() => undefined);
    return outcome("hidden", describeError(error));
  }
}

/** So long a message is held whose next slot is near: well within the 30 s that a function has for it. */
const STAY_MS = 12_000;

/** The batch is applied in part: its next slot is due then. */
interface GoesOn {
  readonly kind: "goes-on";
  readonly dueMs: number;
}

/**
 * It cannot be put into the dead-letter queue: that one takes less than the queue did, or is not there. The batch is dead
 * in the ledger, so that nothing waits for it; its message stays where it is, and the run says why.
 */
async function keepLetter(
  deps: ConsumerDeps,
  message: IncomingMessage,
  runId: string | null,
  failure: unknown,
): Promise<MessageResult> {
  const because = `the dead-letter queue refuses a message: ${describeError(failure)}`;
  deps.log(`[BACKFILL] Consumer: ${because}`);
  if (runId !== null) {
    const error = { atMs: deps.clock.now(), source: "consumer", message: because, kind: "dead-letter queue" };
    await deps.store.addError(runId, error).catch(() => undefined);
  }
  const seconds = isRetryable(failure) ? UNREACHABLE_SECONDS : REFUSED_LETTER_SECONDS;
  await deps.queue.hide(message.receiptHandle, seconds).catch(() => undefined);
  return outcome("hidden", because);
}

const REFUSED_LETTER_SECONDS = 900;

/** The counter could not be reached, and with it the delay is not known: about what N x delay is at the background profile. */
const UNREACHABLE_SECONDS = 5;

async function applyBatch(
  deps: ConsumerDeps,
  message: IncomingMessage,
  batch: Batch,
  signal: AbortSignal,
): Promise<MessageResult | GoesOn> {
  const { queue, store } = deps;
  const disposition = await dispositionOf(deps, batch, message.receiveCount);
  if (disposition.kind === "delete") {
    await queue.remove(message.receiptHandle);
    return outcome("dropped", disposition.because);
  }
  if (disposition.kind === "dead-letter") {
    await sendLetter(deps, message);
    deps.log(
      `[BACKFILL] Batch ${batch.key.window}/${batch.key.number} went to the dead-letter queue: ${disposition.because}`,
    );
    return outcome("dead-lettered", disposition.because);
  }
  if (disposition.kind === "wait") return waitFor(deps, { message, batch, run: null, because: disposition.because });

  const { run, entry, isRedriven, mayBeRedriven } = disposition;
  const pace = await runOfPace(deps, run);
  const noted = entry?.dueMs == null ? null : { dueMs: entry.dueMs, paceVersion: entry.paceVersion ?? 0 };
  const reserved = entry?.removals ?? 0;
  let decision = await decideSlot(deps, { batch, pace, slot: noted ?? batch, removals: reserved });
  if (decision.kind === "hide") return hide(deps, message, decision.seconds, decision.isLate ? "late" : "early");

  const health = await deps.sink.health();
  if (health.kind === "unhealthy") return waitFor(deps, { message, batch, run: pace, because: health.because });
  if (pace.throttle.useIdle) await yieldToEventLoop();

  // On the first delivery an attempt is counted only if it fails. This saves one write for each batch.
  const isCounted = message.receiveCount > 1;
  if (isCounted) {
    const begun = await store.beginAttempt(batch.key);
    // Somebody redrove a batch that had failed: it gets one more attempt, and is dead-lettered again if that fails.
    if (begun.attempts > MAX_ATTEMPTS && !isRedriven)
      return deadLetterBatch(deps, message, batch, `${MAX_ATTEMPTS} attempts failed`);
  }
  const rows = await decode(deps, run, batch, signal);

  for (;;) {
    const { slot, waitedMs } = decision;
    const result = await applyRows(deps, {
      run,
      pace,
      message,
      batch,
      rows,
      maxRemovals: removalsNow(pace, batch, reserved),
      isOnTime: () => isOnTime(deps, slot, pace),
    });
    if (result.kind === "failed" && result.isAttempt) return result.result;
    if (result.kind === "more") {
      const next = await planRemovals(deps, { batch, pace, slot, reserved, ...result });
      if (next === null) continue;
      if (isCounted) await store.cancelAttempt(batch.key);
      return { kind: "goes-on", dueMs: next.dueMs };
    }
    if (result.kind === "late") {
      decision = await takeNewSlot(deps, { batch, pace, removals: reserved });
      if (decision.kind === "now") continue;
    }
    if (result.kind !== "applied") {
      // Waiting of any kind counts no attempt: an outage of half a day must cost no batch.
      if (isCounted) await store.cancelAttempt(batch.key);
      if (result.kind === "failed") return result.result;
      if (decision.kind === "hide") return hide(deps, message, decision.seconds, "late");
      return hide(
        deps,
        message,
        Math.max(1, Math.ceil(intervalMs(paceOf(pace), countedEvents(batch.events)) / 1000)),
        "busy",
      );
    }
    await noteInversions(deps, run, rows);
    await finish(deps, { message, batch, pace, counts: result.counts, mayBeRedriven });
    return {
      kind: "applied",
      because: "applied",
      counts: result.counts,
      paceWaitMs: waitedMs,
      isLate: slot !== batch && slot.dueMs !== batch.dueMs,
      applyMs: result.durationMs,
    };
  }
}

/** A redriven batch of a finished run keeps to the pace of the runs that go on now, of its own pace where there is one. */
async function runOfPace(deps: ConsumerDeps, run: Run): Promise<Run> {
  if (run.finishedAtMs === null) return run;
  const open = await deps.store.openRuns();
  return open.find(({ paceId }) => paceId === run.paceId) ?? open.at(-1) ?? run;
}

function isOnTime(deps: ConsumerDeps, slot: Slot, pace: Pace): boolean {
  const at = { nowMs: deps.clock.now(), paceVersion: slot.paceVersion, pace: paceOf(pace) };
  return judge(slot, at) !== "late";
}

async function decode(deps: ConsumerDeps, run: Run, batch: Batch, signal: AbortSignal): Promise<readonly SinkRow[]> {
  const scope = await deps.store.getScope(run.runId);
  const verify = scope?.verify ?? "hash";
  const rows: SinkRow[] = [];
  // Waiting for a promise at each event would cost more than the event's row.
  const isCheckDue = (row: SinkRow): boolean => {
    rows.push(row);
    return deps.memoryChecks.add(1);
  };
  for (const group of groupEvents(batch.events)) {
    const nowMs = deps.clock.now();
    if (group.kind === "single") {
      if (isCheckDue(toRow(group.event, verify, nowMs))) await guardMemory(deps, run, signal);
    } else {
      for (const row of rangeRows(group, verify, nowMs)) if (isCheckDue(row)) await guardMemory(deps, run, signal);
    }
  }
  return rows;
}

async function finish(
  deps: ConsumerDeps,
  done: { message: IncomingMessage; batch: Batch; pace: Pace; counts: BatchCounts; mayBeRedriven: boolean },
): Promise<void> {
  const { store, queue, clock } = deps;
  const entry = await store.finish(done.batch.key, "applied", done.counts, {
    nowMs: clock.now(),
    redriven: done.mayBeRedriven,
  });
  if (entry.correctionPending) await store.correct(done.batch.key);
  await deps.crashPoint?.("after-ledger");
  if (done.pace.waiting !== null) await store.setWaiting(done.pace.paceId, null);
  await deps.crashPoint?.("before-delete");
  await queue.remove(done.message.receiptHandle);
}

async function hide(deps: ConsumerDeps, message: IncomingMessage, seconds: number, because: string) {
  await deps.queue.hide(message.receiptHandle, seconds);
  return { ...outcome("hidden", because), isLate: because === "late" };
}
