/** What a process of Node holds, by kind. The child measures itself, because only it can collect its garbage first. */
import { readFileSync } from "node:fs";

export interface FunctionMemory {
  readonly rssMb: number;
  /** Objects of V8's heap. */
  readonly heapMb: number;
  /** Memory outside of the heap that objects of the heap own, all buffers included. */
  readonly externalMb: number;
  /** The allocator's main heap (`[heap]` in /proc): what native code and buffers hold, and what was freed and not returned. null: not on Linux. */
  readonly mallocMb: number | null;
}

const MB = 1024 * 1024;

export function readFunctionMemory(): FunctionMemory {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rssMb: rss / MB, heapMb: heapUsed / MB, externalMb: external / MB, mallocMb: readMallocMb() };
}

function readMallocMb(): number | null {
  try {
    const [, kilobytes] =
      /\[heap\]\n(?:\S+:.*\n)*?Rss:\s+(\d+) kB/.exec(readFileSync("/proc/self/smaps", "utf8")) ?? [];
    return kilobytes === undefined ? null : Number(kilobytes) / 1024;
  } catch {
    return null;
  }
}
