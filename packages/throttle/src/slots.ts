/**
 * The arithmetic of slots on the pace. `plannedDue` in the pace item is the only clock of the pace, and each batch has one slot
 * on it. Nothing here does I/O: the checkpoint store stores the counter, and the use cases decide.
 */

/** A batch this much before or after its due time is on time. If more were allowed, a burst would follow every stall. */
export const ON_TIME_MS = 1_500;
/** The largest delay that SQS accepts for a message. */
export const MAX_DELAY_SECONDS = 900;
const MAX_EFFECTIVE_DELAY_MS = 900_000;

export interface Pace {
  readonly batchSize: number;
  /** Between two full batches. 0: no pacing. */
  readonly effectiveDelayMs: number;
}

/** The delay between two full batches, back-off included. */
export function effectiveDelayMs(throttle: { readonly batchDelayMs: number }, backOff: number): number {
  return Math.min(throttle.batchDelayMs * backOff, MAX_EFFECTIVE_DELAY_MS);
}

/**
 * The interval that a batch of `events` takes on the pace: its share of the delay. Whole milliseconds, rounded up,
 * so that small batches may be slightly too slow and are never too fast.
 */
export function intervalMs(pace: Pace, events: number): number {
  return Math.ceil((pace.effectiveDelayMs * events) / pace.batchSize);
}

/** Events per second that the pace allows; null without pacing. */
export function allowedRatePerSecond(pace: Pace): number | null {
  return pace.effectiveDelayMs === 0 ? null : (pace.batchSize * 1000) / pace.effectiveDelayMs;
}

export interface Layout {
  /** A due time for each batch, in order. */
  readonly dueMs: readonly number[];
  /** What plannedDue becomes: the first moment after all of them. */
  readonly nextMs: number;
}

/** Gives the batches the next free slots. A slot is never in the past: unused time is lost. */
export function layOutSlots(
  pace: Pace,
  sizes: readonly number[],
  at: { readonly plannedDueMs: number; readonly nowMs: number },
): Layout {
  let nextMs = Math.max(at.plannedDueMs, at.nowMs);
  const dueMs: number[] = [];
  for (const events of sizes) {
    dueMs.push(nextMs);
    nextMs += intervalMs(pace, events);
  }
  return { dueMs, nextMs };
}

/** How far the run is planned ahead: by the counter, or by the events that are sent and not applied, whichever is more. */
export function readAheadMs(
  pace: Pace,
  at: { readonly plannedDueMs: number; readonly nowMs: number; readonly outstandingEvents: number },
): number {
  return Math.max(0, at.plannedDueMs - at.nowMs, intervalMs(pace, at.outstandingEvents));
}

/** How many events have slots that fit into `freeMs`. */
export function eventsThatFit(pace: Pace, freeMs: number): number {
  return freeMs <= 0 ? 0 : Math.floor((freeMs * pace.batchSize) / pace.effectiveDelayMs);
}

/** SQS's DelaySeconds for a batch: rounded down, because less than 1.5 s too early is still on time. */
export function delaySeconds(dueMs: number, nowMs: number): number {
  return Math.min(MAX_DELAY_SECONDS, Math.max(0, Math.floor((dueMs - nowMs) / 1000)));
}

export type Punctuality = "early" | "on-time" | "late";

export interface Slot {
  readonly dueMs: number;
  /** 0: planned without pacing. */
  readonly paceVersion: number;
}

/** What a consumer does with a batch now. A slot of an older pace version is void, because the pace has changed since. */
export function judge(
  slot: Slot,
  at: { readonly nowMs: number; readonly paceVersion: number; readonly pace: Pace },
): Punctuality {
  if (at.pace.effectiveDelayMs === 0) return "on-time";
  if (slot.paceVersion !== at.paceVersion) return "late";
  if (at.nowMs - slot.dueMs > ON_TIME_MS) return "late";
  return slot.dueMs - at.nowMs > ON_TIME_MS ? "early" : "on-time";
}

/** How long to hide a message until its slot: whole seconds, at least one, rounded down like delaySeconds. */
export function hideSeconds(dueMs: number, nowMs: number): number {
  return Math.max(1, Math.floor((dueMs - nowMs) / 1000));
}

/** 30 s x 2^n, at most 900 s: how long a message is hidden while we wait. `waits` counts from 1. */
export function waitSeconds(waits: number): number {
  return Math.min(MAX_DELAY_SECONDS, 30 * 2 ** Math.min(10, Math.max(0, waits - 1)));
}
