/**
 * When an environment has had its time. Lambda keeps one for hours, and with it whatever leaked. One that is above its
 * memory limit after its work is acknowledged is marked; if it still is when the next work arrives, it hands that back
 * and ends, and Lambda starts a clean one. A new environment always does one piece of work: a limit that is too low
 * makes the run slow, and never stops it.
 */
import type { MemoryGuard } from "@firehose-backfill/throttle/memory-guard";

export interface Recycling {
  mark(): void;
  /** Asked before any work begins. A mark that turns out to have been a peak is forgotten. */
  isDue(): boolean;
}

export function createRecycling(memory: Pick<MemoryGuard, "isOverLimit">): Recycling {
  let isMarked = false;
  return {
    mark: () => {
      isMarked = true;
    },
    isDue: () => {
      isMarked &&= memory.isOverLimit();
      return isMarked;
    },
  };
}
