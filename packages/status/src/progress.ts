/**
 * How far a run has come and how long it will take. Progress is by event time: sequence numbers say nothing about
 * how much lies between them. Everything here is an estimate for a person; nothing decides by it.
 */
import type { Run } from "@firehose-backfill/checkpoint/run";

/** Wall clock since the run began, pauses excluded. */
export function elapsedMs(run: Run, nowMs: number): number {
  const endMs = run.finishedAtMs ?? run.pausedSinceMs ?? nowMs;
  return Math.max(0, endMs - run.createdAtMs - run.pausedMs);
}

/**
 * 0 to 1, or null while it cannot be told. `doneBeyond`: of what lies between the applied cursor and the reader, the part
 * that is done already; the cursor itself moves a window at a time, which may be minutes of work.
 */
export function progressOf(run: Run, doneBeyond = 0): number | null {
  if (run.status === "succeeded") return 1;
  const { appliedCursor, startPosition } = run;
  if (startPosition === null) return null;
  const bySeq = run.end.kind === "seq" && run.target === null ? run.end.seq : null;
  if (bySeq !== null) return fraction(startPosition.seq, (appliedCursor ?? startPosition).seq, bySeq);
  // What lies before the start by event time is skipped unpaced, so the way begins where the start was reached.
  const fromMs = run.start.kind === "time" ? Math.max(run.start.timeMs, startPosition.timeMs) : startPosition.timeMs;
  const appliedMs = Math.max(appliedCursor?.timeMs ?? fromMs, fromMs);
  const aheadMs = Math.max(0, (run.readerCursor?.timeMs ?? appliedMs) - appliedMs);
  return fraction(fromMs, appliedMs + aheadMs * doneBeyond, endTimeMs(run));
}

function endTimeMs(run: Run): number {
  if (run.target !== null) return run.target.timeMs;
  return run.end.kind === "time" ? run.end.timeMs : run.createdAtMs;
}

function fraction(from: number, at: number, to: number): number | null {
  if (to <= from) return null;
  return Math.min(1, Math.max(0, (at - from) / (to - from)));
}

/**
 * Seconds until the run ends; null where nothing can be said, or where nothing moves.
 * Once everything has been read, what is outstanding is divided by the rate; before, time passed tells time to come.
 */
export function etaSeconds(input: {
  readonly run: Run;
  readonly progress: number | null;
  readonly elapsedMs: number;
  readonly outstanding: number;
  readonly ratePerSecond: number;
}): number | null {
  const { run, progress } = input;
  if (run.status === "succeeded" || run.status === "cancelled") return 0;
  if (run.status !== "running" && run.status !== "pausing") return null;
  const hasReadAll = run.target !== null && run.readerCursor !== null && run.readerCursor.seq >= run.target.seq;
  if (hasReadAll) return input.ratePerSecond > 0 ? input.outstanding / input.ratePerSecond : null;
  if (progress === null || progress <= 0) return null;
  return (input.elapsedMs / 1_000) * ((1 - progress) / progress);
}

/** The bundled relay is a recording: nothing falls off it. */
const SAMPLE_HOST = "sample";

/**
 * How much the host keeps, and when what is read next falls off it. The oldest moment is noted as it was when the run
 * began, whenever it was measured. null: not measured.
 */
export function retentionOf(
  run: Run,
  nowMs: number,
): { readonly retentionSeconds: number | null; readonly fallsOffInSeconds: number | null } {
  const retentionMs = run.oldestKeptMs === null ? 0 : run.createdAtMs - run.oldestKeptMs;
  if (run.host === SAMPLE_HOST || retentionMs <= 0) return { retentionSeconds: null, fallsOffInSeconds: null };
  const retentionSeconds = retentionMs / 1_000;
  const isOver = run.status === "succeeded" || run.status === "cancelled" || run.target !== null;
  const nextMs = run.readerCursor?.timeMs;
  if (isOver || nextMs === undefined) return { retentionSeconds, fallsOffInSeconds: null };
  return { retentionSeconds, fallsOffInSeconds: Math.max(0, (nextMs + retentionMs - nowMs) / 1_000) };
}
