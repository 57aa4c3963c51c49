/** The most memory that each of some processes ever held, as the kernel counts it (VmHWM). Linux. */
import { readFileSync } from "node:fs";

export interface MemoryPeaks extends Disposable {
  /** By process id, in MB. */
  readonly peaks: ReadonlyMap<number, number>;
}

const LOOK_EVERY_MS = 20;

export function watchMemoryPeaks(pids: () => readonly number[]): MemoryPeaks {
  const peaks = new Map<number, number>();
  const look = () => {
    for (const pid of pids()) {
      const peak = readPeakMb(pid);
      if (peak !== null) peaks.set(pid, peak);
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return { peaks, [Symbol.dispose]: () => clearInterval(timer) };
}

function readPeakMb(pid: number): number | null {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) / 1024;
  } catch {
    return null;
  }
}
