/**
 * How far a run has come and how long it will take. Progress is by event time, because sequence numbers do not tell
 * how much lies between them. These are estimates for people; no decision depends on them.
 */
import { SAMPLE_HOST } from "@firehose-backfill/core/config/host-key";
import type { Run } from "@firehose-backfill/checkpoint/run";
import type { OpenWindow } from "@firehose-backfill/checkpoint/window";
import type { Cursor } from "@firehose-backfill/source/cursor";
import { allowedRatePerSecond, effectiveDelayMs } from "@firehose-backfill/throttle/slots";
import { iso } from "./rounding.ts";
import type { Goal } from "./snapshot.ts";
import { doneShare } from "./totals.ts";

/** Wall-clock time since the run began, without pauses. */
export function elapsedMs(run: Run, nowMs: number): number {
  const endMs = run.finishedAtMs ?? run.pausedSinceMs ?? nowMs;
  return Math.max(0, endMs - run.createdAtMs - run.pausedMs);
}

/**
 * 0 to 1, or null if it is not known. The applied cursor moves by whole windows, which may be minutes of work, so each open
 * window adds the share of its events that is done. Every part of the sum only grows, and so does the sum: within a
 * generation, progress never decreases.
 */
export function progressOf(run: Run, openWindows: readonly OpenWindow[] = []): number | null {
  if (run.status === "succeeded") return 1;
  if (run.progress !== null) return shareOfRepos(run.progress);
  const { appliedCursor, startPosition } = run;
  if (startPosition === null) return null;
  const { from, to, valueOf } = scaleOf(run, startPosition);
  if (to <= from || !Number.isFinite(to)) return null;
  const applied = appliedCursor === null ? from : Math.max(from, valueOf(appliedCursor));
  let edge = applied;
  let at = applied;
  for (const { window, entries } of openWindows) {
    const next = Math.max(edge, valueOf(window.to));
    at += (next - edge) * doneShare(window, entries);
    edge = next;
  }
  return Math.min(1, (at - from) / (to - from));
}

/** The last moment that a `Date` can hold. */
const LAST_TIME_MS = 8.64e15;

/** What progress is a share of. null: not known yet, and then there is no progress either. */
export function goalOf(run: Run): Goal | null {
  if (run.progress !== null)
    return run.progress.isComplete ? { by: "repos", from: "0", to: String(run.progress.known) } : null;
  if (run.startPosition === null) return null;
  const { by, from, to } = scaleOf(run, run.startPosition);
  if (to <= from || !Number.isFinite(to)) return null;
  // A time that no calendar has cannot be shown.
  if (by === "time" && Math.max(Math.abs(from), Math.abs(to)) > LAST_TIME_MS) return null;
  return by === "time" ? { by, from: iso(from), to: iso(to) } : { by, from: String(from), to: String(to) };
}

/** By repositories, once all of them are known. */
function shareOfRepos({ known, done, failed, isComplete }: NonNullable<Run["progress"]>): number | null {
  return isComplete && known > 0 ? Math.min(1, (done + failed) / known) : null;
}

interface Scale {
  readonly by: "time" | "seq";
  readonly from: number;
  readonly to: number;
  readonly valueOf: (cursor: Cursor) => number;
}

/** When the target becomes known, progress can only rise. */
function scaleOf({ start, end, target, createdAtMs }: Run, startPosition: Cursor): Scale {
  const startMs = startPosition.timeMs;
  if (end.kind === "seq" || startMs === null) {
    const most = end.kind === "seq" ? end.seq : Number.POSITIVE_INFINITY;
    const to = Math.min(most, target?.ordinal ?? Number.POSITIVE_INFINITY);
    return { by: "seq", from: startPosition.ordinal, to, valueOf: ({ ordinal }) => ordinal };
  }
  // Events before the start are skipped without pacing, so progress counts from where the start was reached.
  const from = start.kind === "time" ? Math.max(start.timeMs, startMs) : startMs;
  const endMs = end.kind === "time" ? end.timeMs : createdAtMs;
  const to = Math.min(endMs, target?.timeMs ?? Number.POSITIVE_INFINITY);
  return { by: "time", from, to, valueOf: ({ timeMs }) => timeMs ?? from };
}

export interface EtaInput {
  readonly run: Run;
  readonly progress: number | null;
  readonly elapsedMs: number;
  /** Events that are applied or dead. */
  readonly done: number;
  readonly outstanding: number;
  /** Measured under the current pace; null: there is not enough data. */
  readonly ratePerSecond: number | null;
}

/** If a run reaches less than this share of its pace, reading slows it down, not the pace. */
const PACED_SHARE = 1 / 2;

/**
 * Seconds until the run ends; null if this is not known or nothing moves. It is the number of remaining events at the current
 * pace: the rate under an earlier pace shows how many remain, but not how long they take.
 */
export function etaSeconds(input: EtaInput): number | null {
  const { run, progress, done, ratePerSecond } = input;
  if (run.status === "succeeded" || run.status === "cancelled") return 0;
  if (run.status !== "running" && run.status !== "pausing") return null;
  const seconds = input.elapsedMs / 1_000;
  const allowed = allowedOf(run.throttle, run.backOff);
  const average = seconds > 0 ? done / seconds : 0;
  const hasReadAll = run.target !== null && run.readerCursor !== null && run.readerCursor.ordinal >= run.target.ordinal;
  if (hasReadAll) return over(input.outstanding, ratePerSecond ?? allowed ?? average);
  if (progress === null || progress <= 0) return null;
  const ahead = (1 - progress) / progress;
  if (allowed === null)
    return ratePerSecond !== null && ratePerSecond > 0 ? over(done * ahead, ratePerSecond) : seconds * ahead;
  const isPaced = average >= PACED_SHARE * Math.min(allowed, ...allowedBefore(run));
  if (isPaced) return over(done * ahead, ratePerSecond ?? allowed);
  return Math.max(seconds * ahead, (done * ahead) / allowed);
}

function over(events: number, perSecond: number): number | null {
  return perSecond > 0 ? events / perSecond : null;
}

function allowedOf(throttle: Run["throttle"], backOff: number): number | null {
  const { batchSize } = throttle;
  return allowedRatePerSecond({ batchSize, effectiveDelayMs: effectiveDelayMs(throttle, backOff) });
}

/** What was allowed before each tune that is still stored; nothing if there was no pace. */
function allowedBefore(run: Run): readonly number[] {
  let throttle = run.throttle;
  return run.tunes.toReversed().flatMap(({ changes }) => {
    const [size, delay] = [changes["batchSize"]?.from, changes["batchDelayMs"]?.from];
    throttle = {
      ...throttle,
      ...(typeof size === "number" ? { batchSize: size } : {}),
      ...(typeof delay === "number" ? { batchDelayMs: delay } : {}),
    };
    const allowed = allowedOf(throttle, 1);
    return allowed === null ? [] : [allowed];
  });
}

/**
 * How much the host keeps, and when it drops the events that are read next. The oldest event time is stored as of the start of the
 * run, whenever it was measured. null: not measured.
 */
export function retentionOf(
  run: Run,
  nowMs: number,
): { readonly retentionSeconds: number | null; readonly fallsOffInSeconds: number | null } {
  const retentionMs = run.keptSinceMs === null ? 0 : run.createdAtMs - run.keptSinceMs;
  if (run.source.host === SAMPLE_HOST || retentionMs <= 0) return { retentionSeconds: null, fallsOffInSeconds: null };
  const retentionSeconds = retentionMs / 1_000;
  const isOver = run.status === "succeeded" || run.status === "cancelled" || run.target !== null;
  const nextMs = run.readerCursor?.timeMs;
  if (isOver || nextMs == null) return { retentionSeconds, fallsOffInSeconds: null };
  return { retentionSeconds, fallsOffInSeconds: Math.max(0, (nextMs + retentionMs - nowMs) / 1_000) };
}
