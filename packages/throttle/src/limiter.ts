/**
 * Limits what one process does at once, in the order of arrival. The limit may change meanwhile: after it is lowered,
 * running work finishes, and nothing new begins until fewer than the limit run.
 */
export interface Limiter {
  readonly active: () => number;
  /** Resolves with a release function when a permit is free, or with null if `signal` aborts first. */
  enter(signal: AbortSignal): Promise<(() => void) | null>;
  /** Runs `work` when a permit is free. */
  run<T>(work: () => Promise<T>): Promise<T>;
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

  const enterNow = () => {
    if (active >= limit() || queue.length > 0) return null;
    active += 1;
    return release();
  };

  const enter = (signal: AbortSignal | null) =>
    new Promise<(() => void) | null>((resolve) => {
      if (signal?.aborted === true) {
        resolve(null);
        return;
      }
      const give = () => {
        signal?.removeEventListener("abort", giveUp);
        active += 1;
        resolve(release());
      };
      const giveUp = () => {
        queue.splice(queue.indexOf(give), 1);
        resolve(null);
      };
      signal?.addEventListener("abort", giveUp, { once: true });
      queue.push(give);
      admit();
    });

  return {
    active: () => active,
    enter,
    async run(work) {
      // If a permit is free, `work` begins at once: code that closes what `work` uses waits only for work that has begun.
      const leave = enterNow() ?? (await enter(null));
      try {
        return await work();
      } finally {
        leave?.();
      }
    },
  };
}
