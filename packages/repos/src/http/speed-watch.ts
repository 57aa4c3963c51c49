/**
 * Ends a request whose deadline has passed or that is too slow: a host that sends one byte a second would block its line for hours.
 * Only the time that we wait for the host counts, so that a slow caller is not the host's fault.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import { HostError } from "./http-errors.ts";

export interface SpeedLimits {
  readonly deadlineMs: number;
  readonly firstByteMs?: number;
  readonly minBytesPerWindow: number;
  readonly windowMs: number;
}

export interface SpeedWatch {
  /** Waits for bytes. `sizeOf` says how many have arrived in total. */
  readonly waiting: <T>(read: Promise<T>, sizeOf: () => number) => Promise<T>;
  /** The answer has begun. */
  readonly answered: () => void;
  readonly end: () => void;
}

export function watchSpeed(limits: SpeedLimits, clock: Clock, stop: (error: Error) => void): SpeedWatch {
  const { deadlineMs, minBytesPerWindow, windowMs } = limits;
  const over = new AbortController();
  const { signal } = over;
  let waitedMs = 0;
  let waitingSinceMs: number | null = null;
  let arrived = (): number => 0;
  let isBody = false;
  let isAnswered = false;

  const watchDeadline = async (): Promise<void> => {
    await clock.sleep(deadlineMs, signal);
    if (!signal.aborted) stop(new HostError("timeout", `the answer was not complete after ${deadlineMs / 1000} s`));
  };
  const watchFirstByte = async (ms: number): Promise<void> => {
    await clock.sleep(ms, signal);
    if (!signal.aborted && !isAnswered) stop(new HostError("timeout", `no answer had begun after ${ms / 1000} s`));
  };
  const takeWaited = (): number => {
    const nowMs = clock.now();
    const sinceMs = waitingSinceMs === null ? 0 : nowMs - waitingSinceMs;
    if (waitingSinceMs !== null) waitingSinceMs = nowMs;
    const taken = waitedMs + sinceMs;
    waitedMs = 0;
    return taken;
  };
  const watchWindows = async (): Promise<void> => {
    let before = 0;
    for (;;) {
      await clock.sleep(windowMs, signal);
      if (signal.aborted) return;
      const bytes = arrived() - before;
      before = arrived();
      const isWaiting = takeWaited() >= windowMs / 2;
      if (isBody && isWaiting && bytes < minBytesPerWindow) {
        stop(new HostError("too-slow", `only ${bytes} bytes came in ${windowMs / 1000} s`));
        return;
      }
    }
  };
  void watchDeadline();
  void watchWindows();
  if (limits.firstByteMs !== undefined) void watchFirstByte(limits.firstByteMs);

  return {
    async waiting(read, sizeOf) {
      if (!isBody) takeWaited();
      isBody = true;
      arrived = sizeOf;
      waitingSinceMs = clock.now();
      try {
        return await read;
      } finally {
        waitedMs += clock.now() - waitingSinceMs;
        waitingSinceMs = null;
      }
    },
    answered: () => {
      isAnswered = true;
    },
    // Without a reason, each abort would create a DOMException with a stack.
    end: () => over.abort("the request has ended"),
  };
}
