/**
 * Lambda gives a function a share of a core that goes with its memory: 1,769 MB are one. Here a process that has used more
 * than its share of the time is stopped until it is within it again, as a CPU quota of the kernel does, and without rights
 * that a quota needs. Linux only.
 */
import { readdirSync, readFileSync } from "node:fs";

export const MB_OF_ONE_CORE = 1_769;

const LOOK_MS = 5;
/** What may be used ahead: the period of Lambda's quota is 20 ms. */
const PERIOD_MS = 20;

/** From now until it is disposed of, when the process goes on. */
export function holdToShare(pid: number, share: number): Disposable {
  let left = PERIOD_MS * share;
  let lookedAt = performance.now();
  let used = usedMs(pid);
  let isStopped = false;
  const signal = (name: "SIGSTOP" | "SIGCONT") => {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended.
    }
  };
  const timer = setInterval(() => {
    const now = performance.now();
    const usedNow = usedMs(pid);
    left = Math.min(PERIOD_MS * share, left + (now - lookedAt) * share) - (usedNow - used);
    [lookedAt, used] = [now, usedNow];
    if (left < 0 === isStopped) return;
    isStopped = left < 0;
    signal(isStopped ? "SIGSTOP" : "SIGCONT");
  }, LOOK_MS);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      if (isStopped) signal("SIGCONT");
    },
  };
}

/** Of all its threads. 0 where there is no such process any more. */
export function usedMs(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.reduce((sum, thread) => {
      const [ns = "0"] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
      return sum + Number(ns) / 1e6;
    }, 0);
  } catch {
    return 0;
  }
}
