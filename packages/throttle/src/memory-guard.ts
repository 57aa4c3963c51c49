/**
 * The memory guard: decides when a process holds too much, and waits or gives up.
 * Samples come from an injected sampler, collecting from an injected `gc`, so that tests can leak on purpose.
 */
import type { Clock } from "@firehose-backfill/core/clock";

export interface MemorySample {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
}

export interface MemoryGuardOptions {
  readonly clock: Clock;
  readonly limitMb: () => number;
  readonly sample: () => MemorySample;
  /** Exposed garbage collector, where there is one. */
  readonly collect: (() => void) | null;
}

export interface MemoryGuard {
  readonly usedMb: () => number;
  readonly limitMb: () => number;
  /** Collects first if that can help; true if the process is still above its limit. */
  isOverLimit(): boolean;
  /** Long-lived processes: 5 s, then 10 s more and so on until it is under the limit. Returns the pauses made; resolves early on abort. */
  waitUntilUnder(signal: AbortSignal): Promise<number>;
}
