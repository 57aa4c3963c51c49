/** This process's memory for the guard. Only composition roots use it, as with `systemClock`; all others get a guard passed in. */
import type { Clock } from "@firehose-backfill/core/clock";
import { createMemoryGuard, limitUnderUse, type MemoryGuard, type MemorySample } from "./memory-guard.ts";

/**
 * A sample is used for so long. Without this, a fast reader and its consumers would ask hundreds of times a second, and each time the
 * kernel opens and reads a file.
 */
const SAMPLE_MS = 20;

export function processMemoryGuard(clock: Clock, limitMb: () => number): MemoryGuard {
  const { gc } = globalThis;
  const sampler = createSampler(clock);
  return createMemoryGuard({
    clock,
    limitMb,
    sample: sampler.sample,
    // gc exists only with --expose-gc, as on Lambda.
    collect:
      gc === undefined
        ? null
        : () => {
            gc();
            sampler.forget();
          },
  });
}

function createSampler(clock: Clock) {
  let last: MemorySample | null = null;
  let atMs = 0;
  return {
    forget: () => {
      last = null;
    },
    sample: (): MemorySample => {
      const nowMs = clock.now();
      // A clock that was set back makes a sample old, too.
      if (last === null || Math.abs(nowMs - atMs) >= SAMPLE_MS) {
        last = readMemory();
        atMs = nowMs;
      }
      return last;
    },
  };
}

/** The figures of the heap take ten times as long as rss. They are read if the guard asks for them, which it does above the limit. */
function readMemory(): MemorySample {
  return {
    rssBytes: process.memoryUsage.rss(),
    get heapUsedBytes() {
      return process.memoryUsage().heapUsed;
    },
    get externalBytes() {
      return process.memoryUsage().external;
    },
  };
}

/** null, or why this process could not work under that limit. Collects garbage first, so that garbage does not count. */
export function limitBelowUse(limitMb: number): string | null {
  if (limitUnderUse(limitMb, process.memoryUsage.rss()) === null) return null;
  globalThis.gc?.();
  return limitUnderUse(limitMb, process.memoryUsage.rss());
}
