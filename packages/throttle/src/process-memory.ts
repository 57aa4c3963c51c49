/** This process's memory, as the guard wants it: for composition roots, as `systemClock` is. Everybody else gets a guard handed in. */
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
    // Exposed by --expose-gc, as on Lambda, or not at all.
    collect: gc === undefined ? null : () => gc(),
  });
}

/** null, or why this process could not work under that limit. Collects first: garbage is no reason. */
export function limitBelowUse(limitMb: number): string | null {
  if (limitUnderUse(limitMb, process.memoryUsage.rss()) === null) return null;
  globalThis.gc?.();
  return limitUnderUse(limitMb, process.memoryUsage.rss());
}
