/**
 * The memory guard decides when a process uses too much memory, and waits or gives up.
 * Sampler and `gc` are injected, so that tests can simulate a leak.
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
  /** The exposed garbage collector, if there is one. */
  readonly collect: (() => void) | null;
}

export interface MemoryGuard {
  readonly usedMb: () => number;
  readonly limitMb: () => number;
  /** Collects garbage first if that can help; true if the process is still above its limit. */
  isOverLimit(): boolean;
  /**
   * For long-lived processes: waits 5 s, then 10 s at a time, until it is under the limit. Returns the number of pauses. Resolves
   * early on abort, and after `mostPauses` if another process can take over.
   */
  waitUntilUnder(signal: AbortSignal, options?: { readonly mostPauses?: number }): Promise<number>;
}

const MB = 1024 * 1024;
const FIRST_PAUSE_MS = 5_000;
const NEXT_PAUSE_MS = 10_000;
/** If the heap is a smaller share of rss than this, a collection frees little. */
const WORTH_COLLECTING = 0.25;
/** A limit must be this many times the memory at the start, so that the process has memory to work with. */
const START_HEADROOM = 1.25;
/** While it works, a tenth more is enough: the process has by then allocated what it needs. */
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

/** null, or why this limit cannot be kept, with both numbers; a configuration error at the start. */
export function limitTooLow(limitMb: number, rssBytesAtStart: number): string | null {
  const startMb = Math.ceil(rssBytesAtStart / MB);
  const leastMb = Math.ceil(startMb * START_HEADROOM);
  if (limitMb >= leastMb) return null;
  return `BACKFILL_MAX_MEMORY_MB is ${limitMb}, but this process holds ${startMb} MB before it has done anything: set it to at least ${leastMb}`;
}

/**
 * The same while the process works: `rssBytes` is measured after a collection. It would wait for a lower limit without end. The margin is
 * smaller than at the start, because the process has by then allocated what it needs.
 */
export function limitUnderUse(limitMb: number, rssBytes: number): string | null {
  const usedMb = Math.ceil(rssBytes / MB);
  const leastMb = usedMb + Math.ceil(usedMb / WORKING_SHARE);
  if (limitMb >= leastMb) return null;
  return `BACKFILL_MAX_MEMORY_MB is ${limitMb}, but this process holds ${usedMb} MB and would pause for ever: set it to at least ${leastMb}`;
}
