/**
 * How many events the reader may still plan. With a pace: as many as fit into two ticks. Without one (delay 0): the events that are
 * not yet applied stay under 20 batches for each consumer or 30 s of the consumers' recent work, and under 256 MiB.
 */
import type { Run } from "@firehose-backfill/checkpoint/run";
import { eventsThatFit, readAheadMs } from "@firehose-backfill/throttle/slots";
import type { Outstanding } from "./advance-applied.ts";
import { paceOf } from "./pace.ts";

export const READ_AHEAD_TICKS = 2;
const BATCHES_A_CONSUMER = 20;
const RECENT_WORK_SECONDS = 30;
const OUTSTANDING_BYTES = 256 * 1024 * 1024;

export interface ReadAheadInput {
  readonly run: Run;
  /** Of all runs of the pace that read. */
  readonly outstanding: Pick<Outstanding, "events" | "bytes">;
  readonly nowMs: number;
  readonly tickMs: number;
  /** The consumers' recent rate in events per second; used only without a pace. */
  readonly recentRate: number;
}

/** How much of the read-ahead is free, as time on the pace; Infinity without pacing. */
export function freeReadAheadMs(input: ReadAheadInput): number {
  const pace = paceOf(input.run);
  if (pace.effectiveDelayMs === 0) return Number.POSITIVE_INFINITY;
  const used = readAheadMs(pace, {
    plannedDueMs: input.run.plannedDueMs,
    nowMs: input.nowMs,
    outstandingEvents: input.outstanding.events,
  });
  return READ_AHEAD_TICKS * input.tickMs - used;
}

export function readAheadEvents(input: ReadAheadInput): number {
  const pace = paceOf(input.run);
  if (pace.effectiveDelayMs > 0) return eventsThatFit(pace, freeReadAheadMs(input));
  if (input.outstanding.bytes >= OUTSTANDING_BYTES) return 0;
  const most = Math.max(
    BATCHES_A_CONSUMER * input.run.throttle.maxConcurrent * pace.batchSize,
    RECENT_WORK_SECONDS * input.recentRate,
  );
  return Math.max(0, Math.floor(most) - input.outstanding.events);
}

/** Measures the consumers' work from outside: sent events minus outstanding ones. */
export interface WorkMeter {
  sent(events: number): void;
  look(outstandingEvents: number, nowMs: number): void;
  ratePerSecond(): number;
}

export function createWorkMeter(outstandingEvents: number, nowMs: number): WorkMeter {
  let out = outstandingEvents;
  let done = 0;
  let sinceMs = nowMs;
  let rate = 0;
  return {
    sent(events) {
      out += events;
    },
    look(outstanding, atMs) {
      done += Math.max(0, out - outstanding);
      out = outstanding;
      const elapsedMs = atMs - sinceMs;
      if (elapsedMs < 1_000) return;
      // Half of the old value and half of the new one, so that it follows a consumer that speeds up or stalls within seconds.
      const measured = (done * 1000) / elapsedMs;
      rate = rate === 0 ? measured : (rate + measured) / 2;
      done = 0;
      sinceMs = atMs;
    },
    ratePerSecond: () => rate,
  };
}
