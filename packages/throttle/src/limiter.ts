/**
 * A cap on what one process does at once, in the order of arrival. The cap may move while work is under way:
 * lowering it lets running work finish and admits nothing new until there is room.
 */
export interface Limiter {
  readonly active: () => number;
  /** Resolves with a release function once there is room, or with null when `signal` aborts first. */
  enter(signal: AbortSignal): Promise<(() => void) | null>;
}

export function createLimiter(limit: () => number): Limiter {
  let active = 0;
  const queue: (() => void)[] = [];

  const admit = () => {
    while (active < limit() && queue.length > 0) queue.shift()?.();
  };

  const release = () => {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      active -= 1;
      admit();
    };
  };

  return {
    active: () => active,
    enter: (signal) =>
      new Promise((resolve) => {
        if (signal.aborted) {
          resolve(null);
          return;
        }
        const give = () => {
          signal.removeEventListener("abort", giveUp);
          active += 1;
          resolve(release());
        };
        const giveUp = () => {
          queue.splice(queue.indexOf(give), 1);
          resolve(null);
        };
        signal.addEventListener("abort", giveUp, { once: true });
        queue.push(give);
        admit();
      }),
  };
}
