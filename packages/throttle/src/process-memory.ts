/** This process's memory for the guard. Only composition roots use it, as with `systemClock`; all others get a guard passed in. */
import type { Clock } from "@firehose-backfill/core/clock";
import { createMemoryGuard, limitUnderUse, type MemoryGuard } from "./memory-guard.ts";

export function processMemoryGuard(clock: Clock, limitMb: () => number): MemoryGuard {
  const { gc } = globalThis;
  return createMemoryGuard({
    clock,
    limitMb,
    sample: () => {
      const { rss, heapUsed, external } = process.memoryUsage();
      return { rssBytes: rss, heapUsedBytes: heapUsed, externalBytes: external };
    },
    // gc exists only with --expose-gc, as on Lambda.
    collect: gc === undefined ? null : () => gc(),
  });
}

/** null, or why this process could not work under that limit. Collects garbage first, so that garbage does not count. */
export function limitBelowUse(limitMb: number): string | null {
  if (limitUnderUse(limitMb, process.memoryUsage.rss()) === null) return null;
  globalThis.gc?.();
  return limitUnderUse(limitMb, process.memoryUsage.rss());
}
