/**
 * A clock for tests and simulations: time stands still while anything is going on in this process, and jumps to the
 * next sleeper when nothing is. An hour of waiting takes as long as what happens in it. Not for code that waits for I/O.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import { MinHeap } from "./min-heap.ts";

export function createVirtualClock(startMs = Date.UTC(2026, 0, 1)): Clock {
  const sleepers = new MinHeap<{ wake: (() => void) | null }>();
  let nowMs = startMs;
  let isTurning = false;

  const turn = () => {
    // Whoever was woken last time has run by now, with all the promises that hang on it.
    const wakeAtMs = sleepers.rank;
    const sleeper = sleepers.pop();
    isTurning = sleeper !== undefined;
    if (sleeper === undefined) return;
    if (sleeper.wake !== null) {
      nowMs = Math.max(nowMs, wakeAtMs);
      sleeper.wake();
    }
    setImmediate(turn);
  };

  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) {
          resolve();
          return;
        }
        const sleeper: { wake: (() => void) | null } = { wake: null };
        const wake = () => {
          sleeper.wake = null;
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        sleeper.wake = wake;
        signal?.addEventListener("abort", wake, { once: true });
        sleepers.push(nowMs + ms, sleeper);
        if (!isTurning) {
          isTurning = true;
          setImmediate(turn);
        }
      }),
  };
}
