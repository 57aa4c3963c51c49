/** This environment's memory, as the guard wants it. Lambda's Node runs with --expose-gc. */
import type { Clock } from "@firehose-backfill/core/clock";
import { createMemoryGuard, type MemoryGuard } from "@firehose-backfill/throttle/memory-guard";

export function processMemoryGuard(clock: Clock, limitMb: () => number): MemoryGuard {
  const { gc } = globalThis;
  return createMemoryGuard({
    clock,
    limitMb,
    sample: () => {
      const { rss, heapUsed, external } = process.memoryUsage();
      return { rssBytes: rss, heapUsedBytes: heapUsed, externalBytes: external };
    },
    collect: gc === undefined ? null : () => gc(),
  });
}
