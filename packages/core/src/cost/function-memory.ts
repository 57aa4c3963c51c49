/** The memory size of a function for a memory limit; the deploy and the cost estimate both use it. */

const SMALLEST_FUNCTION_MEMORY_MB = 512;
const LARGEST_FUNCTION_MEMORY_MB = 10_240;
/** Memory beyond the limit of the memory guard: for the current batch and the runtime itself. */
const MEMORY_HEADROOM = 1.25;

/** The largest BACKFILL_MAX_MEMORY_MB that a function can honour: 8192. */
export const LARGEST_MEMORY_LIMIT_MB = LARGEST_FUNCTION_MEMORY_MB / MEMORY_HEADROOM;

export function functionMemoryMb(maxMemoryMb: number): number {
  return Math.max(SMALLEST_FUNCTION_MEMORY_MB, Math.ceil(maxMemoryMb * MEMORY_HEADROOM));
}
