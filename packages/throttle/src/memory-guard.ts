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
  /**
   * Long-lived processes: 5 s, then 10 s more and so on until it is under the limit. Returns the pauses made; resolves
   * early on abort, and after `mostPauses` for a process that somebody can replace.
   */
  waitUntilUnder(signal: AbortSignal, options?: { readonly mostPauses?: number }): Promise<number>;
}

const MB = 1024 * 1024;
const FIRST_PAUSE_MS = 5_000;
const NEXT_PAUSE_MS = 10_000;
/** Below this share of rss there is little on the heap that a collection could give back. */
const WORTH_COLLECTING = 0.25;
/** A limit must be above what the process holds at its start, so that there is memory to work with. */
const START_HEADROOM = 1.25;
/** A tenth while it works: by then the process has allocated what it needs to work. */
const WORKING_SHARE = 10;

export function createMemoryGuard(options: MemoryGuardOptions): MemoryGuard {
  const { clock, limitMb, sample, collect } = options;
  const usedMb = () => Math.round(sample().rssBytes / MB);

  const isOverLimit = () => {
    const before = sample();
    if (before.rssBytes <= limitMb() * MB) return false;
    const collectable = before.heapUsedBytes + before.externalBytes;
    if (collect === null || collectable < before.rssBytes * WORTH_COLLECTING) return true;
    collect();
    return sample().rssBytes > limitMb() * MB;
  };

  return {
    usedMb,
    limitMb,
    isOverLimit,
    async waitUntilUnder(signal, { mostPauses = Number.POSITIVE_INFINITY } = {}) {
      let pauses = 0;
      while (pauses < mostPauses && !signal.aborted && isOverLimit()) {
        await clock.sleep(pauses === 0 ? FIRST_PAUSE_MS : NEXT_PAUSE_MS, signal);
        pauses += 1;
      }
      return pauses;
    },
  };
}

/** null, or why this limit cannot be kept: said with both numbers, as a configuration error at the start. */
export function limitTooLow(limitMb: number, rssBytesAtStart: number): string | null {
  const startMb = Math.ceil(rssBytesAtStart / MB);
  const leastMb = Math.ceil(startMb * START_HEADROOM);
  if (limitMb >= leastMb) return null;
  return `BACKFILL_MAX_MEMORY_MB is ${limitMb}, but this process holds ${startMb} MB before it has done anything: set it to at least ${leastMb}`;
}

/**
 * The same while it works: `rssBytes` after a collection. A limit below it would be waited for without end. The margin is
 * smaller than at the start: what a process needs to work is there by now.
 */
export function limitUnderUse(limitMb: number, rssBytes: number): string | null {
  const usedMb = Math.ceil(rssBytes / MB);
  const leastMb = usedMb + Math.ceil(usedMb / WORKING_SHARE);
  if (limitMb >= leastMb) return null;
  return `BACKFILL_MAX_MEMORY_MB is ${limitMb}, but this process holds ${usedMb} MB and would pause for ever: set it to at least ${leastMb}`;
}
