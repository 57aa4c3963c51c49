/** This process's memory, as the guard wants it: for composition roots, as `systemClock` is. Everybody else gets a guard handed in. */
import type { Clock } from "@firehose-backfill/core/clock";
import { createMemoryGuard, type MemoryGuard } from "./memory-guard.ts";

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
