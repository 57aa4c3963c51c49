/**
 * When an environment is replaced. Lambda keeps one for hours, with everything that leaked. An environment that is above its
 * memory limit after its work is acknowledged gets a mark; if it is still above when the next work arrives, it returns that work
 * and ends, and Lambda starts a new one. A new environment always does one piece of work, so a limit that is too low
 * makes the run slow but never stops it.
 */
import type { MemoryGuard } from "@firehose-backfill/throttle/memory-guard";

export interface Recycling {
  mark(): void;
  /** Called before any work begins. If the memory has fallen again, the mark is removed. */
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
