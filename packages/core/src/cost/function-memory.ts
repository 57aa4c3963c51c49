/** How large a function is made for a memory limit: the deploy and the estimate of its cost mean the same one. */

export const SMALLEST_FUNCTION_MEMORY_MB = 512;
/** What a function has beyond the limit that the memory guard keeps: the batch in hand and the runtime's own. */
export const MEMORY_HEADROOM = 1.25;

export function functionMemoryMb(maxMemoryMb: number): number {
  return Math.max(SMALLEST_FUNCTION_MEMORY_MB, Math.ceil(maxMemoryMb * MEMORY_HEADROOM));
}
