/** A clock that only moves when a test moves it. */
import type { Clock } from "@firehose-backfill/core/clock";

export interface HandClock extends Clock {
  /** Moves the clock, wakes the sleepers that are due, and lets them run. */
  advance(ms: number): Promise<void>;
}

export function handClock(startMs = 1_000_000): HandClock {
  let nowMs = startMs;
  const sleepers = new Set<{ readonly dueMs: number; readonly wake: () => void }>();
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const sleeper = {
          dueMs: nowMs + ms,
          wake: () => {
            sleepers.delete(sleeper);
            resolve();
          },
        };
        if (signal?.aborted === true) resolve();
        else sleepers.add(sleeper);
        signal?.addEventListener("abort", sleeper.wake, { once: true });
      }),
    advance: async (ms) => {
      const endMs = nowMs + ms;
      for (;;) {
        await settle();
        const [next] = [...sleepers].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs);
        if (next === undefined) break;
        nowMs = Math.max(nowMs, next.dueMs);
        next.wake();
      }
      nowMs = endMs;
      await settle();
    },
  };
}
